/*
 * What the files of adg._adg share. Python's header comes first, in its stable ABI of CPython 3.10.
 */
#ifndef ADG_PYTHON_MODULE_H
#define ADG_PYTHON_MODULE_H

#define Py_LIMITED_API 0x030A0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "adg.h"
#include "adg_version.h"

#define ADG_PYTHON_TOOL "adg " ADG_VERSION " (" ADG_COMMIT ")"

/* Sets the exception that the status means; NULL. */
PyObject *adg_python_raise(enum adg_status status, const struct adg_error *error);

/* Of (folder, mode): a Delta table as it is now, to commit to. Modes are those of enum adg_delta_mode. */
PyObject *adg_python_delta_target(const struct adg_plan *plan, PyObject *arguments);
/* Once, before any of them; false with an exception. */
bool adg_python_delta_types(void);

#endif
