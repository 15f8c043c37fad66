package io.godwit.plan.load;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** One object of a file that keeps to the schema: its fields, and what stands for those that are not there. */
final class Reader {
    private final String file;
    private final Located.Fields object;

    Reader(String file, Located value) {
        this.file = file;
        object = value instanceof Located.Fields fields ? fields : new Located.Fields(Map.of(), value.line());
    }

    /** A problem with one of its fields. */
    InputProblem problem(String field, String what) {
        Located at = object.fields().getOrDefault(field, object);
        return InputProblem.line(file, at.line(), "field '" + field + "': " + what);
    }

    boolean has(String field) {
        return object.fields().containsKey(field);
    }

    String text(String field, String otherwise) {
        return object.fields().get(field) instanceof Located.Text(var text, var _) ? text : otherwise;
    }

    long whole(String field, long otherwise) {
        return object.fields().get(field) instanceof Located.Figure figure
                ? Figures.of(figure).longValue()
                : otherwise;
    }

    double number(String field, double otherwise) {
        return object.fields().get(field) instanceof Located.Figure figure
                ? Figures.of(figure).doubleValue()
                : otherwise;
    }

    /** A time given in seconds, in ms. */
    long millis(String field, long otherwise) {
        return has(field) ? Math.round(number(field, 0) * 1000) : otherwise;
    }

    boolean flag(String field, boolean otherwise) {
        return object.fields().get(field) instanceof Located.Flag(var flag, var _) ? flag : otherwise;
    }

    List<String> names(String field) {
        List<String> names = new ArrayList<>();
        if (object.fields().get(field) instanceof Located.Items(var items, var _)) {
            for (Located item : items) {
                if (item instanceof Located.Text(var text, var _)) {
                    names.add(text);
                }
            }
        }
        return names;
    }

    /**
     * Names that must be among {@code known}.
     *
     * @param what what they are, such as {@code host}
     */
    Set<String> known(String field, Set<String> known, String what) {
        Set<String> names = new LinkedHashSet<>(names(field));
        for (String name : names) {
            if (!known.contains(name)) {
                throw problem(field, "no " + what + " '" + name + "'");
            }
        }
        return names;
    }

    List<Long> wholes(String field) {
        List<Long> wholes = new ArrayList<>();
        if (object.fields().get(field) instanceof Located.Items(var items, var _)) {
            for (Located item : items) {
                if (item instanceof Located.Figure figure) {
                    wholes.add(Figures.of(figure).longValue());
                }
            }
        }
        return wholes;
    }

    /** The objects of a list. */
    List<Reader> list(String field) {
        List<Reader> list = new ArrayList<>();
        if (object.fields().get(field) instanceof Located.Items(var items, var _)) {
            items.forEach(item -> list.add(new Reader(file, item)));
        }
        return list;
    }

    /** An object; one without fields when it is not there. */
    Reader of(String field) {
        return new Reader(file, object.fields().getOrDefault(field, new Located.Nothing(object.line())));
    }

    /** The fields of an object that maps names to something. */
    Set<String> keys() {
        return new TreeMap<>(object.fields()).keySet();
    }
}
