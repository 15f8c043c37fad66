package io.godwit.proto.serialization;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValue;
import com.typesafe.config.ConfigValueType;
import io.godwit.proto.KryoMessage;
import io.godwit.proto.WireMessage;
import java.util.Comparator;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/** Finds the records that a table of settings names, sealed interfaces unfolded. */
final class RecordFinder {
    private RecordFinder() {}

    /**
     * Every {@link WireMessage} record named in {@code table}: a record stands for itself, a sealed interface for all
     * records that it permits, at any depth, without those that Kryo writes.
     *
     * @param table entries {@code any-name = "class name"}; names are free, one per entry so that modules can add theirs
     * @param path where the table stands in the settings, for errors
     * @throws IllegalArgumentException naming the entry that is wrong
     */
    static NavigableSet<Class<? extends Record>> wireRecords(Config table, String path, ClassLoader loader) {
        NavigableSet<Class<? extends Record>> found = byName();
        for (Map.Entry<String, ConfigValue> entry : table.root().entrySet()) {
            String where = path + "." + entry.getKey();
            for (Class<? extends Record> record : recordsOf(load(entry.getValue(), where, loader), where)) {
                if (KryoMessage.class.isAssignableFrom(record)) {
                    continue;
                }
                if (!WireMessage.class.isAssignableFrom(record)) {
                    throw new IllegalArgumentException(
                            where + ": " + record.getName() + " does not implement " + WireMessage.class.getName());
                }
                found.add(record);
            }
        }
        return found;
    }

    /** The class that an entry names. */
    static Class<?> load(ConfigValue value, String where, ClassLoader loader) {
        if (value.valueType() != ConfigValueType.STRING) {
            throw new IllegalArgumentException(where + ": found " + value.render() + "; expected a class name");
        }
        String name = (String) value.unwrapped();
        try {
            return Class.forName(name, false, loader);
        } catch (ClassNotFoundException e) {
            throw new IllegalArgumentException(
                    where + ": no class " + name + "; expected the binary name of a class on the class path", e);
        }
    }

    /** All records below {@code type}. */
    static NavigableSet<Class<? extends Record>> recordsOf(Class<?> type, String where) {
        NavigableSet<Class<? extends Record>> found = byName();
        if (type.isRecord()) {
            found.add(type.asSubclass(Record.class));
        } else if (type.isSealed()) {
            for (Class<?> permitted : type.getPermittedSubclasses()) {
                found.addAll(recordsOf(permitted, where));
            }
        } else {
            throw new IllegalArgumentException(
                    where + ": " + type.getName() + " is neither a record nor a sealed interface of records");
        }
        return found;
    }

    private static NavigableSet<Class<? extends Record>> byName() {
        return new TreeSet<>(Comparator.comparing(Class::getName));
    }
}
