// Tables that are read at random, in memory pages that are large where the system has them: a chip of many
// cores has tables of tens of megabytes, and with small pages most reads would first have to look up their
// page.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace spikeloom {

template <class T>
struct PageAllocator {
  using value_type = T;
  static constexpr std::size_t page = std::size_t{1} << 21;

  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U>&) {}

  T* allocate(std::size_t n) {
    const std::size_t bytes = n * sizeof(T);
    if (bytes < 2 * page) return static_cast<T*>(::operator new(bytes));
    void* const found = ::operator new(bytes, std::align_val_t{page});
#if defined(__linux__)
    madvise(found, bytes, MADV_HUGEPAGE);  // advice only: a system without it loses speed, not results
#endif
    return static_cast<T*>(found);
  }

  void deallocate(T* pointer, std::size_t n) {
    if (n * sizeof(T) < 2 * page)
      ::operator delete(pointer);
    else
      ::operator delete(pointer, std::align_val_t{page});
  }

  template <class U>
  bool operator==(const PageAllocator<U>&) const {
    return true;
  }
};

template <class T>
using Table = std::vector<T, PageAllocator<T>>;

}  // namespace spikeloom
