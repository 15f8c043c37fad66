package io.godwit.proto.serialization;

import com.google.protobuf.Message;
import java.util.Optional;

/** Where the codec finds Protobuf messages: the generated classes, or a test's own schema. */
@FunctionalInterface
public interface MessageTypes {
    /** Java package of the generated messages, as the option {@code java_package} of every schema file says. */
    String GENERATED_PACKAGE = "io.godwit.proto.wire";

    /** The default instance of message {@code godwit.v1.<simpleName>}, or empty when no schema declares it. */
    Optional<Message> find(String simpleName);

    /** The messages generated from {@code src/main/proto/godwit/v1}, loaded by {@code loader}. */
    static MessageTypes generated(ClassLoader loader) {
        return simpleName -> {
            try {
                Class<?> type = Class.forName(GENERATED_PACKAGE + "." + simpleName, true, loader);
                return Optional.of(
                        (Message) type.getMethod("getDefaultInstance").invoke(null));
            } catch (ClassNotFoundException e) {
                return Optional.empty();
            } catch (ReflectiveOperationException | ClassCastException e) {
                throw new IllegalStateException(
                        GENERATED_PACKAGE + "." + simpleName + " is not a generated message", e);
            }
        };
    }
}
