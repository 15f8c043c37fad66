package io.godwit.api;

import java.io.Serial;

/** A request that is answered with an error: its HTTP status, a kind for programs, and a message for people. */
public final class ApiProblem extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String kind;

    private ApiProblem(int status, String kind, String message) {
        super(message);
        this.status = status;
        this.kind = kind;
    }

    /** 400: the request is not one this API understands. */
    public static ApiProblem badRequest(String message) {
        return new ApiProblem(400, "bad-request", message);
    }

    /** 404: no such thing. */
    public static ApiProblem notFound(String message) {
        return new ApiProblem(404, "not-found", message);
    }

    /** 405: the path is known, but not with this method. */
    public static ApiProblem methodNotAllowed(String message) {
        return new ApiProblem(405, "method-not-allowed", message);
    }

    /** 409: understood, but the state of things does not allow it. */
    public static ApiProblem refused(String message) {
        return new ApiProblem(409, "refused", message);
    }

    /** 413: the body is over the limit. */
    public static ApiProblem tooLarge(String message) {
        return new ApiProblem(413, "too-large", message);
    }

    /** 500: a fault of the coordinator. */
    public static ApiProblem internal(String message) {
        return new ApiProblem(500, "internal", message);
    }

    /** 503: it may or may not have been done; asking again does no harm. */
    public static ApiProblem unavailable(String message) {
        return new ApiProblem(503, "unavailable", message);
    }

    /** HTTP status. */
    public int status() {
        return status;
    }

    /** Kind, stable for programs. */
    public String kind() {
        return kind;
    }

    /** The body it is answered with. */
    public ErrorBody body() {
        return new ErrorBody(new ErrorBody.Detail(kind, String.valueOf(getMessage())));
    }
}
