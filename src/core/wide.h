/*
 * 128-bit integers, which gcc and clang have beyond the standard.
 */
#ifndef ADG_CORE_WIDE_H
#define ADG_CORE_WIDE_H

__extension__ typedef unsigned __int128 adg_uint128;
__extension__ typedef __int128 adg_int128;

#endif
