#pragma once

// What the stand-in tells tests about its lock.
extern "C" {
// Locks that are held now, of any batch.
int stand_in_lock_depth();
// Locks that were ever taken.
unsigned stand_in_lock_count();
}
