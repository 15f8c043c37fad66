package io.godwit.plan.place;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The smallest set that has something of each of several sets: the fewest obstacles that together rule out every host. */
final class SmallestSet {
    /** All subsets of so many are looked at; a host rarely has more than three obstacles, a VM rarely more than ten kinds of them. */
    private static final int EXACT_UP_TO = 16;

    private SmallestSet() {}

    /** Empty when one of {@code sets} is: nothing can be had of it. In the order in which its members first appear. */
    static List<String> hitting(List<Set<String>> sets) {
        Map<String, Integer> numbers = new HashMap<>();
        List<String> names = new ArrayList<>();
        for (Set<String> set : sets) {
            for (String name : set) {
                if (numbers.putIfAbsent(name, names.size()) == null) {
                    names.add(name);
                }
            }
        }
        if (sets.stream().anyMatch(Set::isEmpty) || names.size() > EXACT_UP_TO) {
            return names;
        }
        Set<Integer> masks = new HashSet<>();
        for (Set<String> set : sets) {
            int mask = 0;
            for (String name : set) {
                mask |= 1 << numbers.getOrDefault(name, 0);
            }
            masks.add(mask);
        }
        int best = (1 << names.size()) - 1;
        for (int tried = 0; tried < 1 << names.size(); tried++) {
            int members = tried;
            if (Integer.bitCount(tried) < Integer.bitCount(best)
                    && masks.stream().allMatch(mask -> (mask & members) != 0)) {
                best = tried;
            }
        }
        List<String> smallest = new ArrayList<>();
        for (int n = 0; n < names.size(); n++) {
            if ((best & 1 << n) != 0) {
                smallest.add(names.get(n));
            }
        }
        return smallest;
    }
}
