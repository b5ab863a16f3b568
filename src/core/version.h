/*
 * The version that files of ours name: of the format's writer, not of the commit, so that the same input gives the same
 * bytes.
 */
#ifndef ADG_CORE_VERSION_H
#define ADG_CORE_VERSION_H

#define ADG_TOOL_VERSION "0.1.0"

#endif
