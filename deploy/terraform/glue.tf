locals {
  # The columns of the lines that Sightline's firehose sink sends, in their order; a test compares. Columns are only added, at
  # the end. What a line leaves out is null.
  columns = {
    # A row an object. (record_id, object_index) names it.
    detections = [
      { name = "timestamp", type = "timestamp" },
      { name = "timestamp_ms", type = "bigint" },
      { name = "camera_id", type = "string" },
      { name = "object_id", type = "string" },
      { name = "class", type = "string" },
      { name = "class_id", type = "int" },
      { name = "confidence", type = "float" },
      { name = "left_x", type = "float" },
      { name = "top_y", type = "float" },
      { name = "right_x", type = "float" },
      { name = "bottom_y", type = "float" },
      { name = "frame_width", type = "int" },
      { name = "frame_height", type = "int" },
      { name = "zones", type = "array<string>" },
      { name = "lines_crossed", type = "array<string>" },
      { name = "direction", type = "string" },
      { name = "model_name", type = "string" },
      { name = "model_version", type = "string" },
      { name = "inferred", type = "boolean" },
      { name = "frames_since_detection", type = "int" },
      { name = "frame_reference", type = "string" },
      { name = "session", type = "string" },
      { name = "frame_sequence", type = "bigint" },
      { name = "record_id", type = "string" },
      { name = "object_index", type = "int" },
      { name = "pts_ns", type = "bigint" },
    ]
    # A row a recorded frame. (record_id, frame_sequence) names it.
    frames = [
      { name = "timestamp", type = "timestamp" },
      { name = "timestamp_ms", type = "bigint" },
      { name = "camera_id", type = "string" },
      { name = "capture_clock", type = "string" },
      { name = "pts_ns", type = "bigint" },
      { name = "segment_key", type = "string" },
      { name = "byte_offset", type = "bigint" },
      { name = "size_bytes", type = "bigint" },
      { name = "key_frame", type = "boolean" },
      { name = "session", type = "string" },
      { name = "frame_sequence", type = "bigint" },
      { name = "epoch", type = "bigint" },
      { name = "record_id", type = "string" },
    ]
    # A row a recorded file. record_id names it.
    segments = [
      { name = "timestamp", type = "timestamp" },
      { name = "timestamp_ms", type = "bigint" },
      { name = "camera_id", type = "string" },
      { name = "capture_clock", type = "string" },
      { name = "duration_ns", type = "bigint" },
      { name = "segment_key", type = "string" },
      { name = "content_type", type = "string" },
      { name = "codec", type = "string" },
      { name = "size_bytes", type = "bigint" },
      { name = "sha256", type = "string" },
      { name = "frames", type = "int" },
      { name = "closed", type = "boolean" },
      { name = "session", type = "string" },
      { name = "epoch", type = "bigint" },
      { name = "record_id", type = "string" },
    ]
  }

  projection = merge(
    {
      "projection.enabled"          = "true"
      "projection.dt.type"          = "date"
      "projection.dt.format"        = "yyyy/MM/dd/HH"
      "projection.dt.interval"      = "1"
      "projection.dt.interval.unit" = "HOURS"
      "projection.dt.range"         = "${var.first_hour},NOW+1DAYS"
    },
    local.is_bucketed ? {
      "projection.bucket.type"  = "integer"
      "projection.bucket.range" = "0,${var.hash_buckets - 1}"
    } : {},
  )
}

resource "aws_glue_catalog_database" "this" {
  name        = "sightline"
  description = "What cameras saw"
}

resource "aws_glue_catalog_table" "rows" {
  for_each      = local.columns
  name          = each.key
  database_name = aws_glue_catalog_database.this.name
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.projection, {
    "EXTERNAL"                  = "TRUE"
    "classification"            = "parquet"
    "storage.location.template" = "s3://${aws_s3_bucket.this["inference"].id}/${each.key}/${local.template_path}"
  })

  dynamic "partition_keys" {
    for_each = local.is_bucketed ? [1] : []

    content {
      name = "bucket"
      type = "int"
    }
  }

  # The hour of `timestamp`, UTC.
  partition_keys {
    name = "dt"
    type = "string"
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.this["inference"].id}/${each.key}/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
      parameters            = { "serialization.format" = "1" }
    }

    dynamic "columns" {
      for_each = each.value

      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}
