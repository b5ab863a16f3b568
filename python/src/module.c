/*
 * adg._adg: what the Python package has in C. Plans as objects, and streams and schemas as the capsules of the Arrow PyCapsule
 * interface (https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html). Arguments have been checked by
 * adg/__init__.py, which is what people see. The stable ABI of CPython 3.10; nothing of Python is touched while blocks are made, so
 * the interpreter's lock is released around whatever takes long.
 */
#include "module.h"

#include <nanoarrow/nanoarrow.h>
#include <stdlib.h>
#include <time.h>

#include "adg.h"
#include "adg_version.h"
#include "dataset/dataset.h"
#include "generate/plan.h"
#include "run/describe.h"
#include "run/provenance.h"

/* Each carries the message; adg/__init__.py says what they mean. */
static PyObject *error_types[ADG_BAD_INPUT + 1];

PyObject *adg_python_raise(enum adg_status status, const struct adg_error *error)
{
    PyErr_SetString(error_types[status], error->message);
    return NULL;
}

/* ---- capsules ------------------------------------------------------------------------------------------------------ */

static void free_stream(PyObject *capsule)
{
    struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (stream->release != NULL) {
        stream->release(stream);
    }
    PyMem_Free(stream);
}

static void free_schema(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release != NULL) {
        schema->release(schema);
    }
    PyMem_Free(schema);
}

/* Each takes over what it is given. */
static PyObject *stream_capsule(struct ArrowArrayStream *stream)
{
    struct ArrowArrayStream *kept = PyMem_Malloc(sizeof *kept);
    PyObject *capsule = NULL;
    if (kept == NULL) {
        PyErr_NoMemory();
    } else {
        *kept = *stream;
        capsule = PyCapsule_New(kept, "arrow_array_stream", free_stream);
    }
    if (capsule == NULL) {
        stream->release(stream);
        PyMem_Free(kept);
    }
    return capsule;
}

static PyObject *schema_capsule(struct ArrowSchema *schema)
{
    struct ArrowSchema *kept = PyMem_Malloc(sizeof *kept);
    PyObject *capsule = NULL;
    if (kept == NULL) {
        PyErr_NoMemory();
    } else {
        *kept = *schema;
        capsule = PyCapsule_New(kept, "arrow_schema", free_schema);
    }
    if (capsule == NULL) {
        schema->release(schema);
        PyMem_Free(kept);
    }
    return capsule;
}

/* ---- plans --------------------------------------------------------------------------------------------------------- */

struct plan_object {
    PyObject_HEAD struct adg_plan *plan;
    PyObject *provenance; /* JSON */
};

/* The strings of a tuple, which lives longer; NULL with an exception. */
static const char **names_of(PyObject *tuple, Py_ssize_t *count)
{
    *count = PyTuple_Size(tuple);
    const char **names = PyMem_Calloc((size_t)*count + 1, sizeof *names);
    if (names == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < *count; i++) {
        names[i] = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(tuple, i), NULL);
        if (names[i] == NULL) {
            PyMem_Free(names);
            return NULL;
        }
    }
    return names;
}

/* (first block, end block, columns or None, dictionaries) */
static bool parse_stream(PyObject *arguments, struct adg_stream_options *options, const char ***names)
{
    unsigned long long first, end;
    PyObject *columns;
    int dictionaries;
    Py_ssize_t count = 0;
    if (!PyArg_ParseTuple(arguments, "KKOp", &first, &end, &columns, &dictionaries)) {
        return false;
    }
    *names = columns == Py_None ? NULL : names_of(columns, &count);
    if (columns != Py_None && *names == NULL) {
        return false;
    }
    *options = (struct adg_stream_options){.first_block = first,
                                           .end_block = end,
                                           .columns = *names,
                                           .column_count = (uint32_t)count,
                                           .dictionaries = dictionaries != 0};
    return true;
}

static PyObject *plan_stream(PyObject *self, PyObject *arguments)
{
    const struct adg_plan *plan = ((struct plan_object *)self)->plan;
    struct adg_stream_options options;
    const char **names = NULL;
    struct ArrowArrayStream stream;
    struct adg_error error = {{0}};
    if (!parse_stream(arguments, &options, &names)) {
        return NULL;
    }
    enum adg_status status = adg_stream_open(plan, &options, &stream, &error);
    PyMem_Free(names);
    return status == ADG_OK ? stream_capsule(&stream) : adg_python_raise(status, &error);
}

static PyObject *plan_schema(PyObject *self, PyObject *arguments)
{
    const struct adg_plan *plan = ((struct plan_object *)self)->plan;
    struct adg_stream_options options;
    const char **names = NULL;
    struct ArrowSchema schema;
    struct adg_error error = {{0}};
    if (!parse_stream(arguments, &options, &names)) {
        return NULL;
    }
    enum adg_status status = adg_stream_schema(plan, &options, &schema, &error);
    PyMem_Free(names);
    return status == ADG_OK ? schema_capsule(&schema) : adg_python_raise(status, &error);
}

static PyObject *plan_write_parquet(PyObject *self, PyObject *arguments)
{
    const struct adg_plan *plan = ((struct plan_object *)self)->plan;
    unsigned long long first, end;
    int compression;
    const char *path;
    uint64_t rows = 0, bytes = 0;
    struct adg_buffer statistics = {0};
    struct adg_error error = {{0}};
    enum adg_status status = ADG_OK;
    if (!PyArg_ParseTuple(arguments, "KKis", &first, &end, &compression, &path)) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    status = adg_parquet_write_described(plan, first, end, (enum adg_compression)compression, path, &rows, &bytes,
                                         &statistics, &error);
    Py_END_ALLOW_THREADS;
    PyObject *told = status != ADG_OK ? adg_python_raise(status, &error)
                                      : Py_BuildValue("KKs#", (unsigned long long)rows, (unsigned long long)bytes,
                                                      (const char *)statistics.data, (Py_ssize_t)statistics.size);
    adg_buffer_fini(&statistics);
    return told;
}

static PyObject *plan_delta_target(PyObject *self, PyObject *arguments)
{
    return adg_python_delta_target(((struct plan_object *)self)->plan, arguments);
}

static PyObject *plan_rows(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(adg_plan_rows(((struct plan_object *)self)->plan));
}

static PyObject *plan_blocks(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromUnsignedLongLong(adg_plan_blocks(((struct plan_object *)self)->plan));
}

static PyObject *texts(uint32_t count, const char *(*text)(const struct adg_plan *, uint32_t),
                       const struct adg_plan *plan)
{
    PyObject *tuple = PyTuple_New(count);
    for (uint32_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *item = PyUnicode_FromString(text(plan, i));
        if (item == NULL || PyTuple_SetItem(tuple, i, item) != 0) {
            Py_DECREF(tuple);
            return NULL;
        }
    }
    return tuple;
}

static PyObject *plan_columns(PyObject *self, void *closure)
{
    (void)closure;
    const struct adg_plan *plan = ((struct plan_object *)self)->plan;
    return texts(adg_plan_columns(plan), adg_plan_column_name, plan);
}

static PyObject *plan_warnings(PyObject *self, void *closure)
{
    (void)closure;
    const struct adg_plan *plan = ((struct plan_object *)self)->plan;
    return texts(adg_plan_warning_count(plan), adg_plan_warning, plan);
}

static PyObject *plan_provenance(PyObject *self, void *closure)
{
    (void)closure;
    PyObject *provenance = ((struct plan_object *)self)->provenance;
    Py_INCREF(provenance);
    return provenance;
}

static void plan_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    adg_plan_free(((struct plan_object *)self)->plan);
    Py_XDECREF(((struct plan_object *)self)->provenance);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef plan_methods[] = {
    {"stream", plan_stream, METH_VARARGS, "stream(first_block, end_block, columns, dictionaries) -> capsule"},
    {"schema", plan_schema, METH_VARARGS, "schema(first_block, end_block, columns, dictionaries) -> capsule"},
    {"write_parquet", plan_write_parquet, METH_VARARGS,
     "write_parquet(first_block, end_block, compression, path) -> (rows, bytes, statistics)"},
    {"delta_target", plan_delta_target, METH_VARARGS, "delta_target(folder, mode) -> DeltaTarget"},
    {0},
};
static PyGetSetDef plan_properties[] = {
    {"rows", plan_rows, NULL, "rows of the table, or of the shard", NULL},
    {"blocks", plan_blocks, NULL, "blocks of 16,384 rows", NULL},
    {"columns", plan_columns, NULL, "names, in order", NULL},
    {"warnings", plan_warnings, NULL, "of planning, a line each", NULL},
    {"provenance", plan_provenance, NULL, "what the rows are made from, as JSON", NULL},
    {0},
};
static PyType_Slot plan_slots[] = {
    {Py_tp_dealloc, (void *)(uintptr_t)plan_dealloc},
    {Py_tp_methods, plan_methods},
    {Py_tp_getset, plan_properties},
    {0},
};
static PyType_Spec plan_spec = {.name = "adg._adg.Plan",
                                .basicsize = sizeof(struct plan_object),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                .slots = plan_slots};
static PyTypeObject *plan_type;

/* ---- functions ----------------------------------------------------------------------------------------------------- */

/* Definition and metadata, opened together. */
struct inputs {
    const char *dataset;
    struct adg_metadata_source source;
    struct adg_definition *definition;
    struct adg_metadata *metadata;
};

static enum adg_status open_inputs(struct inputs *inputs, struct adg_error *error)
{
    inputs->source.today = (int32_t)(time(NULL) / 86400);
    enum adg_status status = adg_definition_open(inputs->dataset, &inputs->definition, error);
    if (status == ADG_OK) {
        status = adg_metadata_open(&inputs->source, inputs->definition, &inputs->metadata, error);
    }
    return status;
}

static void close_inputs(struct inputs *inputs)
{
    adg_metadata_free(inputs->metadata);
    adg_definition_free(inputs->definition);
}

/* (dataset, metadata, open folder, release, trust, allow_unreleased, table, patients, rows, seed, shard, shards, threads,
 * coherent) */
static PyObject *make_plan(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct inputs inputs = {0};
    struct adg_metadata_source *source = &inputs.source;
    struct adg_error error = {{0}};
    struct adg_plan *plan = NULL;
    const char *table;
    int allow_unreleased, coherent;
    unsigned long long patients, rows, seed, shard, shards;
    unsigned threads;
    json_t *said = NULL;
    char *provenance = NULL;
    enum adg_status status = ADG_OK;
    if (!PyArg_ParseTuple(arguments, "szzzzpsKKKKKIp", &inputs.dataset, &source->folder, &source->open_folder,
                          &source->release, &source->trust, &allow_unreleased, &table, &patients, &rows, &seed, &shard,
                          &shards, &threads, &coherent)) {
        return NULL;
    }
    source->allow_unreleased = allow_unreleased != 0;
    const struct adg_plan_options options = {.seed = seed,
                                             .patients = patients,
                                             .rows = rows,
                                             .shard = shard,
                                             .shards = shards,
                                             .threads = threads,
                                             .profile = coherent ? ADG_PROFILE_COHERENT : ADG_PROFILE_REFERENCE};
    Py_BEGIN_ALLOW_THREADS;
    status = open_inputs(&inputs, &error);
    if (status == ADG_OK) {
        status = adg_plan_new(inputs.definition, inputs.metadata, table, &options, &plan, &error);
    }
    if (status == ADG_OK) {
        const struct adg_provenance about = {.definition = inputs.definition,
                                             .metadata = inputs.metadata,
                                             .tool = ADG_PYTHON_TOOL,
                                             .profile = adg_profile_names[options.profile],
                                             .seed = seed,
                                             .patients = patients,
                                             .rows = rows,
                                             .shards = shards};
        const struct adg_provenance_entry entry = {.table = table, .rows = adg_plan_rows(plan)};
        said = adg_provenance_json(&about, &entry);
        provenance = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
        status = provenance == NULL ? adg_fail_memory(&error) : ADG_OK;
        json_decref(said);
    }
    close_inputs(&inputs);
    Py_END_ALLOW_THREADS;
    struct plan_object *object = status == ADG_OK ? PyObject_New(struct plan_object, plan_type) : NULL;
    if (object != NULL) {
        object->plan = plan;
        object->provenance = PyUnicode_FromString(provenance);
    } else {
        adg_plan_free(plan);
    }
    free(provenance); /* jansson's own memory */
    if (status != ADG_OK) {
        return adg_python_raise(status, &error);
    }
    if (object != NULL && object->provenance == NULL) {
        Py_DECREF(object);
        return NULL;
    }
    return (PyObject *)object;
}

/* (dataset, metadata, open folder, release, trust, allow_unreleased, table or None) */
static PyObject *metadata_stream(PyObject *module, PyObject *arguments)
{
    (void)module;
    struct inputs inputs = {0};
    struct adg_metadata_source *source = &inputs.source;
    struct ArrowArrayStream stream;
    struct adg_error error = {{0}};
    const char *table;
    int allow_unreleased;
    enum adg_status status = ADG_OK;
    if (!PyArg_ParseTuple(arguments, "szzzzpz", &inputs.dataset, &source->folder, &source->open_folder,
                          &source->release, &source->trust, &allow_unreleased, &table)) {
        return NULL;
    }
    source->allow_unreleased = allow_unreleased != 0;
    Py_BEGIN_ALLOW_THREADS;
    status = open_inputs(&inputs, &error);
    if (status == ADG_OK) {
        status = adg_metadata_stream_open(inputs.definition, inputs.metadata, table, &stream, &error);
    }
    close_inputs(&inputs);
    Py_END_ALLOW_THREADS;
    return status == ADG_OK ? stream_capsule(&stream) : adg_python_raise(status, &error);
}

/* (dataset, table) */
static PyObject *schema(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *dataset, *table;
    struct adg_definition *definition = NULL;
    struct ArrowSchema made;
    struct adg_error error = {{0}};
    if (!PyArg_ParseTuple(arguments, "ss", &dataset, &table)) {
        return NULL;
    }
    enum adg_status status = adg_definition_open(dataset, &definition, &error);
    if (status == ADG_OK) {
        status = adg_definition_schema(definition, table, &made, &error);
    }
    adg_definition_free(definition);
    return status == ADG_OK ? schema_capsule(&made) : adg_python_raise(status, &error);
}

static int put_tables(const struct adg_definition *definition, struct ArrowArray *batch)
{
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        for (uint32_t t = 0; t < dataset->table_count; t++) {
            NANOARROW_RETURN_NOT_OK(ArrowArrayAppendString(batch->children[0], ArrowCharView(dataset->name)));
            NANOARROW_RETURN_NOT_OK(ArrowArrayAppendString(batch->children[1], ArrowCharView(dataset->tables[t].name)));
            NANOARROW_RETURN_NOT_OK(ArrowArrayAppendInt(batch->children[2], dataset->field_count));
            NANOARROW_RETURN_NOT_OK(ArrowArrayFinishElement(batch));
        }
    }
    return ArrowArrayFinishBuildingDefault(batch, NULL);
}

static int tables_stream(const struct adg_definition *definition, struct ArrowArrayStream *out)
{
    static const struct {
        const char *name;
        enum ArrowType type;
    } columns[] = {
        {"dataset", NANOARROW_TYPE_STRING}, {"table", NANOARROW_TYPE_STRING}, {"columns", NANOARROW_TYPE_INT32}};
    struct ArrowSchema made;
    struct ArrowArray batch = {.release = NULL};
    ArrowSchemaInit(&made);
    int code = ArrowSchemaSetTypeStruct(&made, 3);
    for (int i = 0; i < 3 && code == NANOARROW_OK; i++) {
        code = ArrowSchemaSetType(made.children[i], columns[i].type);
        if (code == NANOARROW_OK) {
            code = ArrowSchemaSetName(made.children[i], columns[i].name);
        }
    }
    if (code == NANOARROW_OK) {
        code = ArrowArrayInitFromSchema(&batch, &made, NULL);
    }
    if (code == NANOARROW_OK) {
        code = ArrowArrayStartAppending(&batch);
    }
    if (code == NANOARROW_OK) {
        code = put_tables(definition, &batch);
    }
    if (code == NANOARROW_OK) {
        code = ArrowBasicArrayStreamInit(out, &made, 1);
    }
    if (code == NANOARROW_OK) {
        ArrowBasicArrayStreamSetArray(out, 0, &batch);
        return NANOARROW_OK;
    }
    if (batch.release != NULL) {
        batch.release(&batch);
    }
    made.release(&made);
    return code;
}

/* (dataset) */
static PyObject *tables(PyObject *module, PyObject *arguments)
{
    (void)module;
    const char *dataset;
    struct adg_definition *definition = NULL;
    struct ArrowArrayStream stream;
    struct adg_error error = {{0}};
    if (!PyArg_ParseTuple(arguments, "s", &dataset)) {
        return NULL;
    }
    enum adg_status status = adg_definition_open(dataset, &definition, &error);
    if (status != ADG_OK) {
        return adg_python_raise(status, &error);
    }
    int code = tables_stream(definition, &stream);
    adg_definition_free(definition);
    return code == NANOARROW_OK ? stream_capsule(&stream) : PyErr_NoMemory();
}

/* ---- the module ---------------------------------------------------------------------------------------------------- */

static PyMethodDef functions[] = {
    {"plan", make_plan, METH_VARARGS, NULL},
    {"metadata", metadata_stream, METH_VARARGS, NULL},
    {"schema", schema, METH_VARARGS, NULL},
    {"tables", tables, METH_VARARGS, NULL},
    {0},
};
static PyModuleDef definition_of_module = {PyModuleDef_HEAD_INIT, .m_name = "adg._adg", .m_size = -1,
                                           .m_methods = functions};

/* Exceptions, each also a kind that Python has, if there is one that fits. */
static bool add_errors(PyObject *module)
{
    PyObject *base = PyErr_NewException("adg.Error", PyExc_Exception, NULL);
    const struct {
        enum adg_status status;
        const char *name;
        const char *attribute;
        PyObject *kind;
    } types[] = {{ADG_FAILED, "adg.FailedError", "FailedError", PyExc_RuntimeError},
                 {ADG_USAGE, "adg.UsageError", "UsageError", PyExc_ValueError},
                 {ADG_REFUSED, "adg.RefusedError", "RefusedError", NULL},
                 {ADG_BAD_INPUT, "adg.InputError", "InputError", PyExc_ValueError}};
    if (base == NULL || PyModule_AddObjectRef(module, "Error", base) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        PyObject *bases = types[i].kind != NULL ? PyTuple_Pack(2, base, types[i].kind) : PyTuple_Pack(1, base);
        PyObject *type = bases != NULL ? PyErr_NewException(types[i].name, bases, NULL) : NULL;
        Py_XDECREF(bases);
        if (type == NULL || PyModule_AddObjectRef(module, types[i].attribute, type) != 0) {
            return false;
        }
        error_types[types[i].status] = type;
    }
    Py_DECREF(base);
    return true;
}

PyMODINIT_FUNC PyInit__adg(void);
PyMODINIT_FUNC PyInit__adg(void)
{
    PyObject *module = PyModule_Create(&definition_of_module);
    plan_type = (PyTypeObject *)PyType_FromSpec(&plan_spec);
    if (module == NULL || plan_type == NULL || !adg_python_delta_types() || !add_errors(module) ||
        PyModule_AddStringConstant(module, "version", ADG_VERSION) != 0 ||
        PyModule_AddStringConstant(module, "commit", ADG_COMMIT) != 0) {
        Py_XDECREF(module);
        return NULL;
    }
    return module;
}
