//! The system's allocator, counting.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static LIVE_BYTES: AtomicUsize = AtomicUsize::new(0);

struct Counting;

/// How many blocks were taken so far; one that had to grow counts again.
pub fn allocations() -> usize {
    ALLOCATIONS.load(Relaxed)
}

/// How many bytes are taken now, each block rounded up to 16 and with the 8 that an allocator keeps beside it.
pub fn live_bytes() -> usize {
    LIVE_BYTES.load(Relaxed)
}

fn rounded(size: usize) -> usize {
    (size + 8).next_multiple_of(16)
}

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LIVE_BYTES.fetch_add(rounded(layout.size()), Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(rounded(layout.size()), Relaxed);
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        LIVE_BYTES.fetch_add(rounded(size), Relaxed);
        LIVE_BYTES.fetch_sub(rounded(layout.size()), Relaxed);
        unsafe { System.realloc(block, layout, size) }
    }
}
