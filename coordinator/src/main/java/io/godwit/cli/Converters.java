package io.godwit.cli;

import io.godwit.units.Units;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Option values with units. A wrong one is refused with what was given and what is accepted. */
public final class Converters {
    private Converters() {}

    /** A size in bytes. */
    public static final class Bytes implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            try {
                return Units.bytes(value);
            } catch (IllegalArgumentException e) {
                throw refused(e);
            }
        }
    }

    /** A rate in bytes per second. */
    public static final class Rate implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            try {
                return Units.bytesPerSecond(value);
            } catch (IllegalArgumentException e) {
                throw refused(e);
            }
        }
    }

    /** A time in milliseconds. */
    public static final class Millis implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            try {
                return Units.millis(value);
            } catch (IllegalArgumentException e) {
                throw refused(e);
            }
        }
    }

    private static TypeConversionException refused(IllegalArgumentException e) {
        return new TypeConversionException(String.valueOf(e.getMessage()));
    }
}
