/*
 * adg._adg.DeltaTarget: a Delta table that the driver of a Spark job commits to, by the rules of delta/write.h.
 */
#include "module.h"

#include "core/memory.h"
#include "delta/write.h"
#include "generate/plan.h"
#include "run/describe.h"

struct delta_object {
    PyObject_HEAD struct adg_delta_target target;
    char *folder;
};
static PyTypeObject *delta_type;

PyObject *adg_python_delta_target(const struct adg_plan *plan, PyObject *arguments)
{
    const struct adg_layout *layout = adg_plan_layout(plan);
    const char *folder;
    int mode;
    struct adg_described described;
    struct adg_error error = {{0}};
    if (!PyArg_ParseTuple(arguments, "si", &folder, &mode)) {
        return NULL;
    }
    struct delta_object *object = PyObject_New(struct delta_object, delta_type);
    if (object == NULL) {
        return NULL;
    }
    object->target = (struct adg_delta_target){0};
    object->folder = adg_strdup(folder);
    enum adg_status status = object->folder == NULL ? adg_fail_memory(&error)
                                                    : adg_described_init(&described, layout, &error);
    if (status == ADG_OK) {
        status = adg_delta_target_open(&object->target, object->folder, (enum adg_delta_mode)mode, described.columns,
                                       layout->column_count, &error);
        adg_described_fini(&described);
    }
    if (status != ADG_OK) {
        Py_DECREF(object);
        return adg_python_raise(status, &error);
    }
    return (PyObject *)object;
}

/* From a tuple of (name, rows, bytes, statistics), which lives longer; NULL with an exception. */
static struct adg_delta_file *delta_files(PyObject *tuple, Py_ssize_t *count)
{
    *count = PyTuple_Size(tuple);
    struct adg_delta_file *files = PyMem_Calloc((size_t)*count + 1, sizeof *files);
    if (files == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < *count; i++) {
        unsigned long long rows, bytes;
        if (!PyArg_ParseTuple(PyTuple_GetItem(tuple, i), "sKKs", &files[i].name, &rows, &bytes, &files[i].statistics)) {
            PyMem_Free(files);
            return NULL;
        }
        files[i].rows = rows;
        files[i].bytes = bytes;
    }
    return files;
}

/* (files, provenance as JSON, id of a table that begins, milliseconds since 1970) -> (version or None, message or None) */
static PyObject *delta_commit(PyObject *self, PyObject *arguments)
{
    const struct adg_delta_target *target = &((struct delta_object *)self)->target;
    PyObject *tuple;
    const char *provenance, *table_id;
    long long time_ms;
    Py_ssize_t count;
    bool published = false;
    int64_t version = -1;
    struct adg_error error = {{0}};
    enum adg_status status = ADG_OK;
    if (!PyArg_ParseTuple(arguments, "O!ssL", &PyTuple_Type, &tuple, &provenance, &table_id, &time_ms)) {
        return NULL;
    }
    struct adg_delta_file *files = delta_files(tuple, &count);
    if (files == NULL) {
        return NULL;
    }
    json_t *said = json_loads(provenance, 0, NULL);
    const struct adg_delta_commit commit = {.files = files,
                                            .file_count = (uint32_t)count,
                                            .time_ms = time_ms,
                                            .table_id = table_id,
                                            .engine = ADG_PYTHON_TOOL,
                                            .provenance = said};
    Py_BEGIN_ALLOW_THREADS;
    status = said == NULL ? adg_fail_memory(&error)
                          : adg_delta_target_commit(target, &commit, &published, &version, &error);
    Py_END_ALLOW_THREADS;
    json_decref(said);
    PyMem_Free(files);
    if (!published) {
        return adg_python_raise(status, &error);
    }
    return Py_BuildValue("Lz", (long long)version, status == ADG_OK ? NULL : error.message);
}

static void delta_dealloc(PyObject *self)
{
    struct delta_object *object = (struct delta_object *)self;
    PyTypeObject *type = Py_TYPE(self);
    adg_delta_target_fini(&object->target);
    adg_free(object->folder);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef delta_methods[] = {
    {"commit", delta_commit, METH_VARARGS,
     "commit(files, provenance, table_id, time_ms) -> (version, failure after it)"},
    {0},
};
static PyType_Slot delta_slots[] = {
    {Py_tp_dealloc, (void *)(uintptr_t)delta_dealloc},
    {Py_tp_methods, delta_methods},
    {0},
};
static PyType_Spec delta_spec = {.name = "adg._adg.DeltaTarget",
                                 .basicsize = sizeof(struct delta_object),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                 .slots = delta_slots};

bool adg_python_delta_types(void)
{
    delta_type = (PyTypeObject *)PyType_FromSpec(&delta_spec);
    return delta_type != NULL;
}
