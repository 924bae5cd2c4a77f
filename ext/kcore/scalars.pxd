# The scalar types of all kernels, so that one name means one width everywhere; the only file cimported across packages.
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
