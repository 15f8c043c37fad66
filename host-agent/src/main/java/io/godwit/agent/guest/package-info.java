/** What both native guest drivers are built from: host RAM, vCPU threads and their pace, the image of a vCPU's state. */
@NullMarked
package io.godwit.agent.guest;

import org.jspecify.annotations.NullMarked;
