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

// Large pages from `least` bytes on; smaller tables begin at a line of the cache.
template <class T, std::size_t least = std::size_t{1} << 22>
struct PageAllocator {
  using value_type = T;
  static constexpr std::size_t page = std::size_t{1} << 21, line = 64;
  template <class U>
  struct rebind {
    using other = PageAllocator<U, least>;
  };

  PageAllocator() = default;
  template <class U>
  PageAllocator(const PageAllocator<U, least>&) {}

  T* allocate(std::size_t n) {
    if (n * sizeof(T) < least) return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{line}));
    void* const found = ::operator new(n * sizeof(T), std::align_val_t{page});
#if defined(__linux__)
    madvise(found, n * sizeof(T),
            MADV_HUGEPAGE);  // advice only: a system without it loses speed, not results
#endif
    return static_cast<T*>(found);
  }

  void deallocate(T* pointer, std::size_t n) {
    ::operator delete(pointer, std::align_val_t{n * sizeof(T) < least ? line : page});
  }

  template <class U>
  bool operator==(const PageAllocator<U, least>&) const {
    return true;
  }
};

template <class T>
using Table = std::vector<T, PageAllocator<T>>;
// What every spike reads: large pages pay much earlier.
template <class T>
using HotTable = std::vector<T, PageAllocator<T, std::size_t{1} << 18>>;

}  // namespace spikeloom
