// The engine in memory: the reference of the contract, for tests and for
// benchmarks that leave the disk out. Durable only as long as the process.
#ifndef HIZO_STORAGE_MEMORY_ENGINE_H_
#define HIZO_STORAGE_MEMORY_ENGINE_H_

#include <memory>

#include "storage/engine.h"

namespace hizo::storage {

std::unique_ptr<Engine> NewMemoryEngine();

}  // namespace hizo::storage

#endif  // HIZO_STORAGE_MEMORY_ENGINE_H_
