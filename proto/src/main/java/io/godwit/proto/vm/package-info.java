/** What a virtual machine is: its specification, devices, workload and run states, as every process speaks of them. */
@NullMarked
package io.godwit.proto.vm;

import org.jspecify.annotations.NullMarked;
