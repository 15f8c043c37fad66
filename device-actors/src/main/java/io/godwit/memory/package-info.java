/** Memory containers (IOMMU address spaces), dirty bitmaps and reporting policies. */
@NullMarked
package io.godwit.memory;

import org.jspecify.annotations.NullMarked;
