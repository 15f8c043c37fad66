package io.godwit.fleet;

/** Why the coordinator did not do what it was asked; the message is for the operator. */
public abstract sealed class CoordinatorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private CoordinatorException(String message) {
        super(message);
    }

    /** No such thing. */
    public static final class NotFound extends CoordinatorException {
        private static final long serialVersionUID = 1L;
        private final String kind;
        private final String name;

        /** @param kind what was looked for, such as {@code vm} */
        public NotFound(String kind, String name) {
            super("no " + kind + " '" + name + "'");
            this.kind = kind;
            this.name = name;
        }

        /** {@code vm}, {@code host}, {@code migration} or {@code evacuation}. */
        public String kind() {
            return kind;
        }

        /** The name or id that was asked for. */
        public String name() {
            return name;
        }
    }

    /** Understood, and not done: bad input, or the state of things does not allow it. */
    public static final class Refused extends CoordinatorException {
        private static final long serialVersionUID = 1L;

        /** @param reason what was wrong and what was expected */
        public Refused(String reason) {
            super(reason);
        }
    }

    /** No answer within the limit: what was asked may or may not have happened; asking again does no harm. */
    public static final class Unavailable extends CoordinatorException {
        private static final long serialVersionUID = 1L;

        /** @param reason who did not answer, and for how long */
        public Unavailable(String reason) {
            super(reason);
        }
    }
}
