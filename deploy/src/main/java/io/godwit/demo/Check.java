package io.godwit.demo;

/**
 * One thing that had to hold.
 *
 * @param name what
 * @param ok whether it did
 * @param detail what was compared, or what was wrong
 */
public record Check(String name, boolean ok, String detail) {}
