resource "aws_athena_workgroup" "this" {
  name          = "sightline"
  force_destroy = !var.deletion_protection

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.query_limit_bytes

    result_configuration {
      output_location = "s3://${aws_s3_bucket.this["queries"].id}/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

locals {
  partitions      = concat(local.is_bucketed ? ["bucket"] : [], ["dt"])
  partition_names = join(", ", local.partitions)
  # The views have the columns of their tables and no more.
  view_columns = {
    for table, columns in local.columns :
    table => join(", ", concat([for column in columns : format("\"%s\"", column.name)], local.partitions))
  }
  last_day = "dt >= date_format(current_timestamp AT TIME ZONE 'UTC' - INTERVAL '1' DAY, '%Y/%m/%d/%H')"

  # Delivery is at least once: a row may be there twice, always in the same hour. `dt` bounds what is read, so each query
  # names it. Those of `sightline query --saved` have its names and are its own (src/query/saved.ts); a test compares.
  queries = {
    "detections-once-view" = {
      description = "Makes the view detections_once: each row once"
      query       = <<-SQL
        CREATE OR REPLACE VIEW detections_once AS
        SELECT ${local.view_columns.detections} FROM (
          SELECT *, row_number() OVER (PARTITION BY ${local.partition_names}, record_id, object_index ORDER BY timestamp_ms) AS copy
          FROM detections
        ) WHERE copy = 1
      SQL
    }
    "frames-once-view" = {
      description = "Makes the view frames_once: each recorded frame once"
      query       = <<-SQL
        CREATE OR REPLACE VIEW frames_once AS
        SELECT ${local.view_columns.frames} FROM (
          SELECT *, row_number() OVER (PARTITION BY ${local.partition_names}, record_id, frame_sequence ORDER BY timestamp_ms) AS copy
          FROM frames
        ) WHERE copy = 1
      SQL
    }
    "segments-once-view" = {
      description = "Makes the view segments_once: each recorded file once"
      query       = <<-SQL
        CREATE OR REPLACE VIEW segments_once AS
        SELECT ${local.view_columns.segments} FROM (
          SELECT *, row_number() OVER (PARTITION BY ${local.partition_names}, record_id ORDER BY timestamp_ms) AS copy
          FROM segments
        ) WHERE copy = 1
      SQL
    }
    "objects-per-hour" = {
      description = "Tracked objects of each class by camera and hour of the last day"
      query       = <<-SQL
        SELECT camera_id, date_trunc('hour', "timestamp") AS hour, class, count(DISTINCT (session, object_id)) AS objects
        FROM detections_once
        WHERE object_id IS NOT NULL AND ${local.last_day}
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
      SQL
    }
    "cameras-silent" = {
      description = "When each camera of the last day was last seen to detect something, the longest silent first"
      query       = <<-SQL
        SELECT camera_id, max("timestamp") AS last_seen
        FROM detections
        WHERE ${local.last_day}
        GROUP BY 1
        ORDER BY 2
      SQL
    }
    "dwell" = {
      description = "How long the objects of the last day were seen, the longest first"
      query       = <<-SQL
        SELECT camera_id, session, object_id, max_by(class, timestamp_ms) AS class, min("timestamp") AS first_seen,
          (max(timestamp_ms) - min(timestamp_ms)) / 1e3 AS seconds
        FROM detections
        WHERE object_id IS NOT NULL AND ${local.last_day}
        GROUP BY 1, 2, 3
        ORDER BY seconds DESC
      SQL
    }
    "lines-per-hour" = {
      description = "Crossings of each line by camera, hour and class of the last day"
      query       = <<-SQL
        SELECT camera_id, date_trunc('hour', "timestamp") AS hour, line, class, count(*) AS crossings
        FROM detections_once CROSS JOIN UNNEST(lines_crossed) AS crossed (line)
        WHERE ${local.last_day}
        GROUP BY 1, 2, 3, 4
        ORDER BY 1, 2, 3, 4
      SQL
    }
    "models" = {
      description = "Rows, confidence and span of time of each version of each model, of the last day"
      query       = <<-SQL
        SELECT model_name, model_version, count(*) AS detections, avg(CAST(confidence AS double)) AS confidence,
          min("timestamp") AS first, max("timestamp") AS last
        FROM detections_once
        WHERE inferred AND ${local.last_day}
        GROUP BY 1, 2
        ORDER BY 1, 2
      SQL
    }
    "recorded-per-hour" = {
      description = "Recorded frames and bytes by camera and hour of the last day"
      query       = <<-SQL
        SELECT camera_id, date_trunc('hour', "timestamp") AS hour, count(*) AS frames, sum(size_bytes) AS bytes
        FROM frames_once
        WHERE ${local.last_day}
        GROUP BY 1, 2
        ORDER BY 1, 2
      SQL
    }
    "recording-of-a-moment" = {
      description = "Where the video of a camera around a time lies; parameters: camera, hour as yyyy/MM/dd/HH, milliseconds since 1970, the same again"
      query       = <<-SQL
        SELECT segment_key, min("timestamp") AS first_frame, max("timestamp") AS last_frame, count(*) AS frames
        FROM frames_once
        WHERE camera_id = ? AND dt >= ? AND timestamp_ms BETWEEN CAST(? AS bigint) - 10000 AND CAST(? AS bigint) + 10000
        GROUP BY 1
        ORDER BY 2
      SQL
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each    = local.queries
  name        = each.key
  description = each.value.description
  workgroup   = aws_athena_workgroup.this.id
  database    = aws_glue_catalog_database.this.name
  query       = trimspace(each.value.query)
}
