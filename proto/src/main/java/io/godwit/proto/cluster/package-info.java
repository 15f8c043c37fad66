/** What every node of the cluster does about its own membership. */
@NullMarked
package io.godwit.proto.cluster;

import org.jspecify.annotations.NullMarked;
