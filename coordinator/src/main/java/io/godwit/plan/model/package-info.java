/** What a plan is made of: hosts, VMs, network, rules, moves, and the finished plan. Immutable; planner, checker and files share it. */
@NullMarked
package io.godwit.plan.model;

import org.jspecify.annotations.NullMarked;
