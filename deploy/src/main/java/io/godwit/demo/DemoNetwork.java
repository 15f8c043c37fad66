package io.godwit.demo;

import java.util.List;

/** Where the processes of a fleet are, as a network sees it. */
public interface DemoNetwork {
    /** All on this machine's loopback. */
    DemoNetwork LOOPBACK = new DemoNetwork() {
        @Override
        public String address(String name) {
            return "127.0.0.1";
        }

        @Override
        public String storeAddress() {
            return "127.0.0.1";
        }

        @Override
        public List<String> command(String name, List<String> command) {
            return command;
        }
    };

    /** Address at which the others reach the process of that name. */
    String address(String name);

    /** Address at which the coordinators reach the store. */
    String storeAddress();

    /** The command that runs {@code command} where the process of that name belongs, with the same process id. */
    List<String> command(String name, List<String> command);
}
