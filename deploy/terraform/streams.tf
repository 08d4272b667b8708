# Records for programs that read along (consumers, other systems).
resource "aws_kinesis_stream" "records" {
  name             = "sightline-records"
  retention_period = 24
  encryption_type  = "KMS"
  kms_key_id       = coalesce(var.kms_key_arn, "alias/aws/kinesis")

  stream_mode_details {
    stream_mode = "ON_DEMAND"
  }
}

locals {
  is_bucketed = var.hash_buckets > 0

  # By the hour of capture, so that copies of a row lie in one partition however late they come, and a query that names `dt`
  # reads no more than it must. Firehose has 500 open partitions: a camera is no partition but a column, and at most a bucket.
  hour_queries = {
    year  = "(.timestamp_ms/1000|floor|strftime(\"%Y\"))"
    month = "(.timestamp_ms/1000|floor|strftime(\"%m\"))"
    day   = "(.timestamp_ms/1000|floor|strftime(\"%d\"))"
    hour  = "(.timestamp_ms/1000|floor|strftime(\"%H\"))"
  }
  partition_queries = merge(local.hour_queries, local.is_bucketed ? {
    bucket = "(.camera_id|explode|add%${var.hash_buckets})"
  } : {})
  path_keys      = concat(local.is_bucketed ? ["bucket"] : [], ["year", "month", "day", "hour"])
  partition_path = join("/", [for key in local.path_keys : "!{partitionKeyFromQuery:${key}}"])
  template_path  = local.is_bucketed ? "$${bucket}/$${dt}" : "$${dt}"
}

resource "aws_kinesis_firehose_delivery_stream" "rows" {
  for_each    = local.columns
  name        = "sightline-${each.key}"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = var.kms_key_arn == null ? "AWS_OWNED_CMK" : "CUSTOMER_MANAGED_CMK"
    key_arn  = var.kms_key_arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.firehose.arn
    bucket_arn          = aws_s3_bucket.this["inference"].arn
    prefix              = "${each.key}/${local.partition_path}/"
    error_output_prefix = "errors/${each.key}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    buffering_size      = 128
    buffering_interval  = var.buffer_seconds
    # Snappy is inside the Parquet files.
    compression_format = "UNCOMPRESSED"

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.firehose.name
      log_stream_name = aws_cloudwatch_log_stream.firehose[each.key].name
    }

    dynamic_partitioning_configuration {
      enabled        = true
      retry_duration = 300
    }

    processing_configuration {
      enabled = true

      # Sinks put up to 500 rows into a record.
      processors {
        type = "RecordDeAggregation"

        parameters {
          parameter_name  = "SubRecordType"
          parameter_value = "JSON"
        }
      }

      processors {
        type = "MetadataExtraction"

        parameters {
          parameter_name  = "JsonParsingEngine"
          parameter_value = "JQ-1.6"
        }

        parameters {
          parameter_name  = "MetadataExtractionQuery"
          parameter_value = "{${join(",", [for key, query in local.partition_queries : "${key}:${query}"])}}"
        }
      }
    }

    data_format_conversion_configuration {
      input_format_configuration {
        deserializer {
          open_x_json_ser_de {}
        }
      }

      output_format_configuration {
        serializer {
          parquet_ser_de {
            compression = "SNAPPY"
          }
        }
      }

      schema_configuration {
        database_name = aws_glue_catalog_database.this.name
        table_name    = aws_glue_catalog_table.rows[each.key].name
        region        = var.region
        role_arn      = aws_iam_role.firehose.arn
      }
    }
  }

  # It tries its role when it is made.
  depends_on = [aws_iam_role_policy.firehose]
}

resource "aws_cloudwatch_log_group" "firehose" {
  name              = "/aws/kinesisfirehose/sightline"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_stream" "firehose" {
  for_each       = local.columns
  name           = each.key
  log_group_name = aws_cloudwatch_log_group.firehose.name
}
