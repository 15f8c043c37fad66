package io.godwit.cli;

/** How results are printed; lower case on the command line. */
public enum OutputFormat {
    /** For people: aligned columns. */
    TABLE,
    /** The API's view, indented. */
    JSON,
    /** The API's view. */
    YAML;

    /**
     * Reads a name.
     *
     * @throws IllegalArgumentException saying what is accepted
     */
    public static OutputFormat of(String name) {
        return switch (name) {
            case "table" -> TABLE;
            case "json" -> JSON;
            case "yaml" -> YAML;
            default -> throw new IllegalArgumentException("'" + name + "'; expected table, json or yaml");
        };
    }
}
