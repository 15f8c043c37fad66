package io.godwit.proto.serialization;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigValue;
import io.godwit.proto.KryoMessage;
import io.godwit.proto.WireMessage;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** The fixed ids of {@code godwit.serialization.kryo}. Ids below {@link #FIRST_ID} are Kryo's and the JDK types'. */
final class KryoTable {
    /** First id that a table may give out. */
    static final int FIRST_ID = 100;

    private KryoTable() {}

    /**
     * Reads the table.
     *
     * @throws IllegalArgumentException naming the entry that is wrong: not a number, reserved, no such class, a class
     *     twice, or a class that both serializers would claim
     */
    static NavigableMap<Integer, Class<?>> read(Config table, String path, ClassLoader loader) {
        NavigableMap<Integer, Class<?>> classes = new TreeMap<>();
        Map<Class<?>, Integer> ids = new HashMap<>();
        for (Map.Entry<String, ConfigValue> entry : table.root().entrySet()) {
            String where = path + "." + entry.getKey();
            int id = id(entry.getKey(), where);
            Class<?> type = RecordFinder.load(entry.getValue(), where, loader);
            if (KryoTypes.IDS.containsKey(type)) {
                throw new IllegalArgumentException(where + ": " + type.getName() + " needs no entry; it has the id "
                        + KryoTypes.IDS.get(type) + " already");
            }
            if (!type.isRecord() && !type.isEnum()) {
                throw new IllegalArgumentException(where + ": " + type.getName() + "; expected a record or an enum");
            }
            if (KryoMessage.class.isAssignableFrom(type) && WireMessage.class.isAssignableFrom(type)) {
                throw new IllegalArgumentException(where + ": " + type.getName() + " implements both KryoMessage and"
                        + " WireMessage; expected one, as it decides who writes it");
            }
            Integer other = ids.put(type, id);
            if (other != null) {
                throw new IllegalArgumentException(
                        where + ": " + type.getName() + " has the id " + other + " already; expected one id per class");
            }
            classes.put(id, type);
        }
        return classes;
    }

    private static int id(String key, String where) {
        int id;
        try {
            id = Integer.parseInt(key);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(where + ": expected a class id, a number from " + FIRST_ID, e);
        }
        if (id < FIRST_ID) {
            throw new IllegalArgumentException(where + ": ids below " + FIRST_ID + " are reserved");
        }
        return id;
    }
}
