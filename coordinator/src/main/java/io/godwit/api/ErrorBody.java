package io.godwit.api;

/**
 * The JSON of every error.
 *
 * @param error what went wrong
 */
public record ErrorBody(Detail error) {
    /**
     * One error.
     *
     * @param kind stable, for programs: {@code bad-request}, {@code not-found}, {@code refused}, …
     * @param message one line for people
     */
    public record Detail(String kind, String message) {}
}
