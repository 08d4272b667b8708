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
  # Delivery is at least once: a row may be there twice, always in the same hour. `dt` bounds what is read, so each query
  # names it.
  queries = {
    "detections-once-view" = {
      description = "Makes the view detections_once: each row once"
      query       = <<-SQL
        CREATE OR REPLACE VIEW detections_once AS
        SELECT * FROM (
          SELECT *, row_number() OVER (PARTITION BY dt, record_id, object_index ORDER BY timestamp_ms) AS copy
          FROM detections
        ) WHERE copy = 1
      SQL
    }
    "frames-once-view" = {
      description = "Makes the view frames_once: each recorded frame once"
      query       = <<-SQL
        CREATE OR REPLACE VIEW frames_once AS
        SELECT * FROM (
          SELECT *, row_number() OVER (PARTITION BY dt, record_id, frame_sequence ORDER BY timestamp_ms) AS copy
          FROM frames
        ) WHERE copy = 1
      SQL
    }
    "segments-once-view" = {
      description = "Makes the view segments_once: each recorded file once"
      query       = <<-SQL
        CREATE OR REPLACE VIEW segments_once AS
        SELECT * FROM (
          SELECT *, row_number() OVER (PARTITION BY dt, record_id ORDER BY timestamp_ms) AS copy
          FROM segments
        ) WHERE copy = 1
      SQL
    }
    "objects-per-hour" = {
      description = "Tracked objects of each class by camera and hour of the last day"
      query       = <<-SQL
        SELECT camera_id, date_trunc('hour', "timestamp") AS hour, class, count(DISTINCT (session, object_id)) AS objects
        FROM detections_once
        WHERE dt >= date_format(current_timestamp AT TIME ZONE 'UTC' - INTERVAL '1' DAY, '%Y/%m/%d/%H')
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
      SQL
    }
    "cameras-silent" = {
      description = "When each camera of the last day was last seen to detect something"
      query       = <<-SQL
        SELECT camera_id, max("timestamp") AS last_seen
        FROM detections
        WHERE dt >= date_format(current_timestamp AT TIME ZONE 'UTC' - INTERVAL '1' DAY, '%Y/%m/%d/%H')
        GROUP BY 1
        ORDER BY 2
      SQL
    }
    "recording-of-a-moment" = {
      description = "Where the video of a camera around a time lies; parameters: camera, hour as yyyy/MM/dd/HH, milliseconds since 1970"
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
