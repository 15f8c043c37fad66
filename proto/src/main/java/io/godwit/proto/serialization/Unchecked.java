package io.godwit.proto.serialization;

/** Pekko's Scala signatures throw checked exceptions without declaring them; so must whoever implements them. */
final class Unchecked {
    private Unchecked() {}

    /** Throws {@code e} as it is; the declared result lets callers write {@code throw}. */
    static RuntimeException rethrow(Throwable e) {
        return Unchecked.<RuntimeException>sneak(e);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <E extends Throwable> RuntimeException sneak(Throwable e) throws E {
        throw (E) e;
    }
}
