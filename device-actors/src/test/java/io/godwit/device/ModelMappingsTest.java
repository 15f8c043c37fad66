package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.DmaPort;
import io.godwit.memory.IommuException;
import io.godwit.memory.IommuSpace;
import io.godwit.memory.IovaMapping;
import io.godwit.memory.ReportingPolicy;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelMappingsTest {
    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final long MEMORY = 96L << 20;

    private final Arena arena = Arena.ofShared();
    private final GuestMemory memory = new GuestMemory(arena.allocate(MEMORY, PAGE));

    @AfterEach
    void free() {
        arena.close();
    }

    private static ModelMappings of(IommuSpace space, long gpa, long bytes) throws IommuException {
        DmaPort port = space.attach("at " + gpa, ReportingPolicy.PERSISTENT);
        ModelMappings mappings = new ModelMappings(new GuestLayout.Range(gpa, bytes), space, port);
        mappings.establish(0);
        return mappings;
    }

    /** Every page is where the table says, and nothing is mapped besides. */
    private static void agree(ModelMappings mappings, IommuSpace space, long gpa, long bytes) throws IommuException {
        for (long page = 0; page < bytes / PAGE; page++) {
            long run = mappings.run(page, Long.MAX_VALUE);
            assertThat(run).isPositive();
            for (long i = 0; i < run; i += Math.max(1, run - 1)) {
                assertThat(space.translate(mappings.iova(page) + i * PAGE)).isEqualTo(gpa + (page + i) * PAGE);
            }
            page += run - 1;
        }
        assertThat(space.mappings().stream().mapToLong(IovaMapping::bytes).sum())
                .isEqualTo(bytes);
        assertThat(space.pinnedPages()).isEqualTo(bytes / PAGE);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 16, 17, 300, 1024, 5000, 8192, 20_000})
    void everyPageIsFoundWhereverItHasMovedAndNeverAtItsGuestPhysicalAddress(long pages) throws IommuException {
        IommuSpace space = new IommuSpace("c0", memory, 1000, true);
        long gpa = MEMORY - pages * PAGE;
        ModelMappings mappings = of(space, gpa, pages * PAGE);
        agree(mappings, space, gpa, pages * PAGE);
        int pieces = space.mappings().size();
        for (int i = 1; i <= 3 * pieces + 1; i++) {
            Set<Long> before = iovas(space);
            assertThat(mappings.remap()).isEqualTo(i);
            Set<Long> after = iovas(space);
            after.removeAll(before);
            assertThat(after).as("one piece has a new address").hasSize(1);
        }
        agree(mappings, space, gpa, pages * PAGE);
        for (IovaMapping mapping : space.mappings()) {
            assertThat(mapping.bytes()).isBetween(PAGE, 2L << 20);
            assertThat(mapping.iova()).isGreaterThan(MEMORY);
        }
        mappings.release();
        assertThat(space.mappings()).isEmpty();
    }

    private static Set<Long> iovas(IommuSpace space) {
        Set<Long> iovas = new HashSet<>();
        space.mappings().forEach(mapping -> iovas.add(mapping.iova()));
        return iovas;
    }

    @Test
    void piecesLieInNoOrder() throws IommuException {
        IommuSpace space = new IommuSpace("c0", memory, 1000, true);
        of(space, 32L << 20, 64L << 20);
        Map<Long, Integer> distances = new HashMap<>();
        long last = 0;
        int up = 0;
        for (IovaMapping mapping : space.mappings()) {
            distances.merge(mapping.iova() - mapping.gpa(), 1, Integer::sum);
            up += mapping.gpa() > last ? 1 : 0;
            last = mapping.gpa();
        }
        assertThat(space.mappings()).hasSize(32);
        assertThat(distances.values()).as("pieces at the same distance").allMatch(count -> count <= 4);
        assertThat(up).as("neighbours in ascending order").isBetween(4, 28);
    }

    @Test
    void theNumberOfTheOldestMappingSaysAll() throws IommuException {
        IommuSpace source = new IommuSpace("c0", memory, 1000, true);
        IommuSpace target = new IommuSpace("c0", memory, 1000, true);
        ModelMappings from = of(source, 1 << 20, 5L << 20);
        ModelMappings to = of(target, 1 << 20, 5L << 20);
        long number = 0;
        for (int i = 0; i < 1234; i++) {
            number = from.remap();
        }
        to.moveTo(number);
        assertThat(target.mappings()).isEqualTo(source.mappings());
        assertThat(to.remap()).isEqualTo(from.remap());
        assertThat(target.mappings()).isEqualTo(source.mappings());
        assertThatThrownBy(() -> to.moveTo(-1)).hasMessageContaining("no mapping has the number -1");
        assertThatThrownBy(() -> to.moveTo(Long.MAX_VALUE)).hasMessageContaining("no mapping has the number");
    }

    @Test
    void devicesSideBySideDoNotMeet() throws IommuException {
        IommuSpace space = new IommuSpace("c0", memory, 10_000, true);
        List<ModelMappings> all = List.of(
                of(space, 0, 40L << 20),
                of(space, 40L << 20, PAGE),
                of(space, (40L << 20) + PAGE, PAGE),
                of(space, (40L << 20) + 2 * PAGE, 70 * PAGE),
                of(space, 50L << 20, 46L << 20));
        for (int i = 0; i < 500; i++) {
            for (ModelMappings one : all) {
                // refused if it met another's
                one.remap();
            }
        }
        assertThat(space.pinnedPages()).isEqualTo((86L << 20) / PAGE + 72);
    }

    @Test
    void withoutAViommuAllOfItIsMappedOnceAndStays() throws IommuException {
        IommuSpace space = new IommuSpace("c0", memory, 10, false);
        ModelMappings mappings = of(space, 1 << 20, 5L << 20);
        agree(mappings, space, 1 << 20, 5L << 20);
        assertThat(mappings.pieceBytes()).isZero();
        List<IovaMapping> before = space.mappings();
        mappings.moveTo(7);
        assertThat(space.mappings())
                .isEqualTo(before)
                .containsExactly(new IovaMapping(ModelMappings.IOVA_BASE + (1 << 20), 1 << 20, 5L << 20));
    }
}
