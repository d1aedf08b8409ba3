// The benchmarks. Each measures a piece of work together with its ceiling and
// returns the figures; all throw where anything fails: a call that fails makes
// no figure.
//
// Threads: one at a time.
#ifndef HIZO_TESTS_BENCH_BENCHMARKS_H_
#define HIZO_TESTS_BENCH_BENCHMARKS_H_

#include <vector>

#include "tests/bench/measure.h"

namespace hizo::bench {

using Figures = std::vector<Figure>;

// profile_bench.cc: the audited durable read and write of twelve fields.
Figures ReadProfile(const Settings& settings);
Figures WriteProfile(const Settings& settings);
// What the audit log costs a read.
Figures ReadUnaudited(const Settings& settings);
// password_bench.cc
Figures VerifyPassword(const Settings& settings);
// policy_bench.cc: what each of the shipped policies says to a call.
Figures PolicyDecide(const Settings& settings);
// erase_bench.cc: people let go.
Figures EraseSealed(const Settings& settings);
// retention_bench.cc: entries that end, and reads meanwhile.
Figures RetentionRun(const Settings& settings);
// audit_bench.cc: questions to a long log, and its verification.
Figures AuditQuery(const Settings& settings);
// export_bench.cc: bundles.
Figures ExportBundle(const Settings& settings);
// store_bench.cc: the audit log alone; people taken in; memory.
Figures AuditAppend(const Settings& settings);
Figures Import(const Settings& settings);
Figures Memory(const Settings& settings);

}  // namespace hizo::bench

#endif  // HIZO_TESTS_BENCH_BENCHMARKS_H_
