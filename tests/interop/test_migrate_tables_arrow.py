"""Artificial tables of an older version as Arrow streams, written here by PyArrow: converted, or left as they are."""
import datetime
import decimal
import random

import pyarrow as pa
import pytest
from conftest import ADG, peak_memory, run, run_and_kill
from test_migrate_tables import DEFINITION, NEW, OLD, TYPES, command, contents

NAME = "artificial_stays.arrows"


def write(path, table, rows=100, **options):
    with pa.ipc.new_stream(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as stream:
        stream.write_table(table, max_chunksize=rows)


def read(path):
    return pa.ipc.open_stream(path.read_bytes()).read_all()


@pytest.fixture
def data(tmp_path):
    (tmp_path / "ward.yaml").write_text(DEFINITION)
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / NAME, pa.table(OLD))
    return folder


def converted(path):
    table = read(path)
    return table.to_pydict() == NEW and table.schema.types == TYPES


def test_converts_and_a_second_run_changes_nothing(data):
    old = contents(data)[NAME]
    done = run(*command(data, "--keep-backup"), check=0)
    assert done.stdout == "stays\n" and f"{data / NAME}: left out, since the definition does not know them: EXTRA\n" in done.stderr
    assert converted(data / NAME) and contents(data)[NAME + ".backup"] == old
    before = contents(data)
    assert sorted(before) == [NAME, NAME + ".backup"] and run(*command(data), check=0).stdout == "" and contents(data) == before


def dictionaries(table, names):
    for name in names:
        table = table.set_column(table.schema.get_field_index(name), name, table[name].dictionary_encode())
    return table


def test_dictionaries(data):
    """Read with one dictionary for all batches, with one replaced by another, and with codes of any width; of what is no text any more."""
    whole = pa.table(OLD)
    write(data / NAME, dictionaries(whole, ["KEY", "SIZE", "EXTRA"]))
    run(*command(data), check=0)
    assert converted(data / NAME)
    parts = [dictionaries(whole.slice(i, 60), ["KEY", "SIZE"]) for i in range(0, 300, 60)]  # the keys are others in each
    with pa.ipc.new_stream(data / NAME, parts[0].schema) as stream:
        for part in parts:
            stream.write_table(part)
    run(*command(data), check=0)
    assert converted(data / NAME)
    write(data / NAME, dictionaries(pa.concat_tables([whole] * 30), ["KEY", "SIZE", "COST"]), 9000)  # nulls in large batches
    run(*command(data), check=0)
    assert read(data / NAME).to_pydict() == {name: values * 30 for name, values in NEW.items()}
    sizes = whole["SIZE"].combine_chunks().dictionary_encode()
    for kind in pa.int8(), pa.uint16(), pa.int64():
        column = pa.DictionaryArray.from_arrays(sizes.indices.cast(kind), sizes.dictionary)
        write(data / NAME, whole.set_column(whole.schema.get_field_index("SIZE"), "SIZE", column))
        run(*command(data), check=0)
        assert converted(data / NAME)


def test_texts_keep_their_dictionaries(data):
    """Sorted by bytes, of the texts that rows have; an identifier has none."""
    definition = data.parent / "ward.yaml"
    definition.write_text(DEFINITION.replace("{name: LATER, type: string, values: CATEGORICAL}", "{name: LATER, type: string, pattern: '[a-z]{5}'}"))
    texts = ["b", None, "ä", "", "aa", "b", "Z"]
    whole = pa.table({"KEY": [str(i) for i in range(70)], "code": texts * 10, "LATER": texts * 10})
    parts = [dictionaries(whole.slice(i, 7), ["code", "LATER"]) for i in range(0, 63, 7)]
    nothing = pa.DictionaryArray.from_arrays(pa.array([None] * 7, pa.int32()), pa.array(["unused"]))
    parts.append(whole.slice(63).set_column(1, "code", nothing).set_column(2, "LATER", nothing))
    with pa.ipc.new_stream(data / NAME, parts[0].schema) as stream:
        for part in parts:
            stream.write_table(part)
    run(*command(data), check=0)
    made = read(data / NAME)
    assert made.schema.field("CODE").type == pa.dictionary(pa.int32(), pa.string()) and made.schema.field("LATER").type == pa.string()
    assert made["CODE"].to_pylist() == made["LATER"].to_pylist() == texts * 9 + [None] * 7
    assert made["CODE"].chunk(0).dictionary.to_pylist() == ["", "Z", "aa", "b", "ä"]
    assert run(*command(data), check=0).stdout == ""
    write(data / NAME, whole.slice(0, 7).set_column(1, "code", nothing))  # none is left
    run(*command(data), check=0)
    assert read(data / NAME)["CODE"].to_pylist() == [None] * 7


def test_all_types_with_and_without_nulls(data):
    """In batches that end anywhere: bits do, too."""
    definition = data.parent / "ward.yaml"
    definition.write_text(DEFINITION + "  - {name: TRUE, type: boolean, values: CATEGORICAL}\n  - {name: AT, type: timestamp, values: CONTINUOUS}\n"
                          "  - {name: BIG, type: 'decimal(18,3)', values: CATEGORICAL}\n")
    count, chance = 40_003, random.Random(6)

    def column(kind, make, nulls):
        return pa.array([None if nulls and chance.random() < 0.3 else make(i) for i in range(count)], kind)

    at = datetime.datetime(2020, 1, 1)
    for nulls in False, True:
        table = pa.table({"EXTRA": pa.array([0] * count), "KEY": pa.array(range(count)), "CODE": column(pa.string(), lambda i: "x" * (i % 7), nulls),
                          "SIZE": column(pa.int32(), lambda i: i - 500, nulls), "PRICE": column(pa.decimal128(9, 2), lambda i: decimal.Decimal(i) / 4, nulls),
                          "COST": column(pa.float64(), lambda i: i / 3, nulls), "START": column(pa.date32(), lambda i: at.date() - datetime.timedelta(i), nulls),
                          "LATER": column(pa.string(), lambda i: str(i), nulls).dictionary_encode(), "TRUE": column(pa.bool_(), lambda i: i % 3 == 0, nulls),
                          "AT": column(pa.timestamp("us"), lambda i: at + datetime.timedelta(microseconds=i * 10**9 + 1), nulls),
                          "BIG": column(pa.decimal128(18, 3), lambda i: decimal.Decimal(-i) * 10**9 / 8, nulls)})
        write(data / NAME, table, 7001)
        run(*command(data), check=0)
        made = read(data / NAME)
        assert made.to_pydict() == table.drop_columns("EXTRA").to_pydict() and [c.null_count for c in made.columns[:1]] == [0]
        assert [len(b) for b in pa.ipc.open_stream((data / NAME).read_bytes())] == [16384, 16384, count - 2 * 16384]
        made.validate(full=True)


def test_the_shape_is_that_of_generate(tmp_path):
    """What generate writes is left alone; what was changed in it comes to be what generate writes: columns, types, dictionaries, batches."""
    for table, dataset in ("hes_apc_2021", "hes_apc"), ("hes_ae_2021", "hes_ae"):
        run("generate", "--dataset", dataset, "--meta", "open", "--rows", 20_000, "--table", table, "--format", "arrow", "--out", tmp_path, check=0)
        path = tmp_path / f"artificial_{table}.arrows"
        before, made = path.read_bytes(), read(path)
        assert run("migrate", "tables", "--data", tmp_path, "--dataset", dataset, check=0).stdout == "" and path.read_bytes() == before
        old, whole = made, [n for n, t in zip(made.schema.names, made.schema.types) if pa.types.is_integer(t)]
        for name in whole:
            old = old.set_column(old.schema.get_field_index(name), name, old[name].cast(pa.string()))
        write(path, old.select(old.column_names[::-1]), 5000)
        assert run("migrate", "tables", "--data", tmp_path, "--dataset", dataset, check=0).stdout == f"{table}\n"
        again = read(path)
        assert whole and any(pa.types.is_dictionary(t) for t in made.schema.types) and again.schema == made.schema
        assert again.to_pydict() == made.to_pydict() and [len(b) for b in again.to_batches()] == [len(b) for b in made.to_batches()]


def test_rows_of_many_pieces(data):
    """More rows than the engine gets at a time, in batches of any size; their order stays."""
    count, chance = 300_000, random.Random(3)
    keys = [10**11 + i for i in chance.sample(range(count), count)]
    old = pa.table({"CODE": pa.array([f"c{k % 1000}" for k in keys]), "KEY": pa.array([str(k) for k in keys])})
    with pa.ipc.new_stream(data / NAME, old.schema) as stream:
        at = 0
        while at < count:
            rows = chance.choice([0, 1, 1000, 65535, 65536, 70000])
            stream.write_batch(old.slice(at, rows).to_batches()[0] if rows else pa.record_batch([[], []], schema=old.schema))
            at += rows
    run(*command(data), check=0)
    assert read(data / NAME)["KEY"].to_pylist() == keys and read(data / NAME)["CODE"].to_pylist() == old["CODE"].to_pylist()


@pytest.mark.parametrize("batches", [0, 1])
def test_a_table_without_rows(batches, data):
    schema = pa.table(OLD).schema
    with pa.ipc.new_stream(data / NAME, schema) as stream:
        for _ in range(batches):
            stream.write_batch(pa.RecordBatch.from_pydict({n: [] for n in schema.names}, schema=schema))
    assert run(*command(data), check=0).stdout == "stays\n"
    assert read(data / NAME).num_rows == 0 and read(data / NAME).schema.types == TYPES
    assert run(*command(data), check=0).stdout == ""


@pytest.mark.parametrize("column, values, said", [
    ("SIZE", ["7", "54.5", "x"], "SIZE (200 as integer)"), ("PRICE", [1.255, 1.0, None], "PRICE (100 as decimal(9,2))"),
    ("START", ["2020-02-30", "2020-02-29", "x"], "START (200 as date)"), ("code", [1e300, 1.0, 2.0], "CODE (100 as string)")])
def test_values_that_do_not_fit(column, values, said, data):
    write(data / NAME, pa.table({**OLD, column: pa.array(values * 100)}), 70)
    write(data / "artificial_beds.arrows", pa.table(OLD))
    before = contents(data)
    done = run(*command(data), check=4)
    assert said in done.stderr and "54.5" not in done.stderr and "02-30" not in done.stderr and done.stdout == "beds\n"
    assert converted(data / "artificial_beds.arrows") and {**contents(data), "artificial_beds.arrows": before["artificial_beds.arrows"]} == before


def test_misfits_of_all_pieces_are_counted(data):
    count = 200_000  # the first and the last row
    sizes = ["x", *["1"] * (count - 2), "y"]
    write(data / NAME, pa.table({"KEY": pa.array(range(count)), "SIZE": pa.array(sizes)}), 10_000)
    assert "SIZE (2 as integer)" in run(*command(data), check=4).stderr


def bad_streams():
    sink = pa.BufferOutputStream()
    write(sink, pa.table(OLD))
    whole = sink.getvalue().to_pybytes()
    lz4, zstd, delta, nested, numbers = (pa.BufferOutputStream() for _ in range(5))
    write(numbers, dictionaries(pa.table({"KEY": [1, 2, 2]}), ["KEY"]))
    write(lz4, pa.table(OLD), compression="lz4")
    write(zstd, dictionaries(pa.table(OLD), ["SIZE"]), compression="zstd")
    growing = [pa.chunked_array([pa.array(values).dictionary_encode()]) for values in (["1"], ["1", "2"])]
    with pa.ipc.new_stream(delta, pa.schema([("KEY", growing[0].type)]), options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as stream:
        for column in growing:
            stream.write_table(pa.table({"KEY": column}))
    write(nested, pa.table({"CODE": pa.array(["x"])}))
    return {"empty": (b"", "cut off"), "text": (b"no stream at all", "no Arrow stream"), "cut off": (whole[:-8], "cut off"),
            "without its middle": (whole[:4000] + whole[-8:], "cut off"), "with more behind": (whole + b"12345678", "no Arrow stream"),
            "lz4": (lz4.getvalue().to_pybytes(), "a compressed Arrow stream, which is not read"),
            "zstd": (zstd.getvalue().to_pybytes(), "a compressed Arrow stream, which is not read"),
            "numbers": (numbers.getvalue().to_pybytes(), "a dictionary of anything but texts is not read"),
            "delta": (delta.getvalue().to_pybytes(), "Dictionary concatenation is not yet supported"),
            "no key": (nested.getvalue().to_pybytes(), "no column KEY, the primary key")}


@pytest.mark.parametrize("text", [b"\xff\xfe", b"cut \xe2\x82", b"\xc0\x80"])
@pytest.mark.parametrize("dictionary", [False, True])
@pytest.mark.parametrize("row", [0, 70_000, 99_999])
def test_text_that_is_no_utf_8(text, dictionary, row, data):
    codes = [b"ok"] * 100_000
    codes[row] = text
    column = pa.array(codes, pa.binary()).view(pa.string())
    write(data / NAME, pa.table({"code": column.dictionary_encode() if dictionary else column, "KEY": [str(i) for i in range(100_000)]}), 10_000)
    before = contents(data)
    done = run(*command(data), check=4)
    assert f"{data / NAME}: rows that cannot be read, such as text that is no UTF-8" in done.stderr and contents(data) == before


@pytest.mark.parametrize("kind", bad_streams())
def test_what_cannot_be_read(kind, data):
    content, words = bad_streams()[kind]
    (data / NAME).write_bytes(content)
    done = run(*command(data), check=4)
    assert words in done.stderr and str(data / NAME) in done.stderr, done.stderr
    assert contents(data) == {NAME: content}


def test_bytes_that_are_changed_never_end_it_by_a_signal(data):
    """Whatever the message says: converted to what stands there, or refused."""
    write(data / NAME, dictionaries(pa.table(OLD), ["SIZE"]))
    content, chance = (data / NAME).read_bytes(), random.Random(4)
    for _ in range(60):
        spoiled = bytearray(content)
        for _ in range(chance.choice([1, 1, 8])):
            spoiled[chance.randrange(len(content) - 8)] = chance.randrange(256)
        (data / NAME).write_bytes(spoiled)
        done = run(*command(data))
        assert done.returncode in (0, 1, 4) and "Sanitizer" not in done.stderr, done.stderr


def test_parts(data):
    """All of them or, where a value of one does not fit, none."""
    (data / NAME).unlink()
    parts = data / "artificial_stays"
    parts.mkdir()
    for i in range(3):
        write(parts / f"part-{i:05}-of-00003.arrows", pa.table(OLD).slice(100 * i, 100))
    write(parts / "part-00003-of-00003.arrows", pa.table({**{n: c[:100] for n, c in OLD.items()}, "SIZE": pa.array(["x"] * 100)}))
    before = contents(parts)
    assert "SIZE (100 as integer)" in run(*command(data), check=4).stderr and contents(parts) == before
    (parts / "part-00003-of-00003.arrows").unlink()
    assert run(*command(data), check=0).stdout == "stays\n"
    assert pa.concat_tables([read(parts / f"part-{i:05}-of-00003.arrows") for i in range(3)]).to_pydict() == NEW
    before = contents(parts)
    assert run(*command(data), check=0).stdout == "" and contents(parts) == before


def test_a_foreign_backup_is_not_overwritten(data):
    (data / (NAME + ".backup")).write_bytes(b"somebody's")
    before = contents(data)
    assert "in the way" in run(*command(data, "--keep-backup"), check=1).stderr
    assert contents(data) == before


def test_killed_at_random_points_loses_nothing(data):
    """Under the name there is always the old stream whole, or the new one; a rerun completes."""
    file, backup = data / NAME, data / (NAME + ".backup")
    old, chance, killed = file.read_bytes(), random.Random(2), 0
    for _ in range(20):
        file.write_bytes(old)
        killed += run_and_kill(command(data), chance.uniform(0, 0.1))
        assert file.read_bytes() == old or converted(file)
        assert not backup.exists() or backup.read_bytes() == old
        run(*command(data), check=0)
        assert converted(file) and sorted(contents(data)) == [NAME]
    assert killed >= 5


@pytest.mark.skipif("asan" in ADG, reason="a sanitizer has memory of its own")
def test_memory_does_not_grow_with_the_rows(data):
    used = []
    for batches in 10, 60:
        batch = pa.record_batch({"KEY": pa.array([str(i) for i in range(16384)]), "CODE": pa.array([f"code {i}" for i in range(16384)])})
        with pa.ipc.new_stream(data / NAME, batch.schema) as stream:
            for _ in range(batches):
                stream.write_batch(batch)
        used.append(peak_memory(*command(data)))
    assert used[1] < used[0] + 10 * 2**20, used
