// A library of the right name with none of the functions.
extern "C" __attribute__((visibility("default"))) int nvds_something_else() { return 0; }
