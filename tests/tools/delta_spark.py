"""Spark with Delta: started once, with the jars of a folder, for what it reads and what it writes.

    delta_spark.py JARS READ WRITE PARQUET

prints, as JSON, what the Delta table READ is in each of its versions; then makes the Delta table WRITE of the rows of PARQUET, by twelve commits and a checkpoint.
"""
import json
import sys
from pathlib import Path

from pyspark.sql import SparkSession

PACKAGES = ("delta-", "unitycatalog-")  # the others are Spark's own


def main(jars, read, write, parquet):
    spark = (SparkSession.builder.master("local[2]")
             .config("spark.jars", ",".join(str(p) for p in Path(jars).glob("*.jar") if p.name.startswith(PACKAGES)))
             .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
             .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
             .config("spark.ui.enabled", "false").config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
             .config("spark.sql.shuffle.partitions", 2).config("spark.databricks.delta.snapshotPartitions", 2)
             .config("spark.sql.codegen.wholeStage", "false").config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    history = spark.sql(f"describe history delta.`{read}`").orderBy("version").collect()
    versions = []
    for row in history:
        frame = spark.read.format("delta").option("versionAsOf", row["version"]).load(read)
        versions.append({"version": row["version"], "operation": row["operation"], "mode": row["operationParameters"].get("mode"),
                         "said": row["operationMetrics"]["numOutputRows"], "engine": row["engineInfo"], "rows": frame.count(), "types": dict(frame.dtypes),
                         "late": frame.where("SEEN > '2021-03-05'").count(), "people": frame.select("PERSON").distinct().count()})
    rows = spark.read.parquet(parquet)
    rows.limit(0).write.format("delta").option("delta.checkpointInterval", 5).save(write)
    for part in rows.repartition(11).rdd.mapPartitionsWithIndex(lambda i, p: [(i, list(p))]).collect():
        spark.createDataFrame(part[1], rows.schema).write.format("delta").mode("append").save(write)
    print("result " + json.dumps(versions))


if __name__ == "__main__":
    main(*sys.argv[1:])
