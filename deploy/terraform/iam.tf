# One role a service, with the permissions of what it does and on these resources alone.

data "aws_caller_identity" "this" {}

locals {
  account     = data.aws_caller_identity.this.account_id
  buckets_arn = { for key, bucket in aws_s3_bucket.this : key => bucket.arn }

  # A test compares each list with the calls that the code makes (test/deploy/iam.test.ts).
  put_rows    = { for key, stream in aws_kinesis_firehose_delivery_stream.rows : key => { actions = ["firehose:PutRecordBatch"], resources = [stream.arn] } }
  put_records = { actions = ["kinesis:PutRecords"], resources = [aws_kinesis_stream.records.arn] }
  send = { for key, queue in aws_sqs_queue.this : key => {
    actions = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SendMessage"], resources = [queue.arn]
  } }
  # Objects are written under a condition, compared when they are there, and read for clips.
  write_objects = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
  # Without it S3 answers 403 for an object that is not there, as if the role were wrong.
  tell_missing = { actions = ["s3:ListBucket"], resources = [local.buckets_arn.raw] }
  claims       = { actions = local.write_objects, resources = ["${local.buckets_arn.raw}/claims/*"] }
  table        = { for key, table in aws_dynamodb_table.this : key => table.arn }
  lease = {
    actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
    resources = [local.table.fleet]
  }
  events = {
    actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"]
    resources = [local.table.events]
  }
  write_raw = {
    actions   = local.write_objects
    resources = [for prefix in ["raw", "images", "claims"] : "${local.buckets_arn.raw}/${prefix}/*"]
  }

  permissions = {
    receive = {
      objects  = local.write_raw
      missing  = local.tell_missing
      queue    = local.send.frames
      frames   = local.put_rows.frames
      segments = local.put_rows.segments
      records  = local.put_records
      fleet    = local.lease
    }
    infer = {
      queue = {
        actions   = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"]
        resources = [aws_sqs_queue.this["frames"].arn]
      }
      dead_letters = {
        actions   = ["sqs:GetQueueUrl", "sqs:SendMessage"]
        resources = [aws_sqs_queue.dead_letters["frames"].arn]
      }
      # Its pictures, and results too large for a message.
      claims     = local.claims
      missing    = local.tell_missing
      detections = local.put_rows.detections
      records    = local.put_records
      results    = local.send.detections
    }
    react = {
      queue = {
        actions   = ["sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"]
        resources = [aws_sqs_queue.this["detections"].arn]
      }
      claims = {
        actions   = ["s3:GetObject"]
        resources = ["${local.buckets_arn.raw}/claims/*"]
      }
      missing = local.tell_missing
      events  = local.events
      records = local.put_records
    }
    # Pipelines that are decoded and inferred at once, and questions to Athena.
    control = {
      objects    = local.write_raw
      missing    = local.tell_missing
      detections = local.put_rows.detections
      frames     = local.put_rows.frames
      segments   = local.put_rows.segments
      records    = local.put_records
      results    = local.send.detections
      events     = local.events
      fleet      = local.lease
      athena = {
        actions   = ["athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"]
        resources = [aws_athena_workgroup.this.arn]
      }
      # What Athena does in the name of who asks.
      athena_catalogue = {
        actions = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"]
        resources = concat(
          [aws_glue_catalog_database.this.arn, replace(aws_glue_catalog_database.this.arn, "/:database.*/", ":catalog")],
          # Views, too.
          [replace(aws_glue_catalog_database.this.arn, "/:database\\/.*/", ":table/${aws_glue_catalog_database.this.name}/*")],
        )
      }
      athena_rows = {
        actions   = ["s3:GetObject"]
        resources = ["${local.buckets_arn.inference}/*"]
      }
      athena_listing = {
        actions   = ["s3:ListBucket", "s3:GetBucketLocation"]
        resources = [local.buckets_arn.inference, local.buckets_arn.queries]
      }
      athena_results = {
        actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        resources = ["${local.buckets_arn.queries}/*"]
      }
    }
  }
}

data "aws_iam_policy_document" "service_trust" {
  for_each = local.permissions

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }

  # A pod of Kubernetes takes the role of its service (IRSA): deploy/helm names its account <release>-<service>.
  dynamic "statement" {
    for_each = var.oidc_provider == null ? [] : [var.oidc_provider]

    content {
      actions = ["sts:AssumeRoleWithWebIdentity"]

      principals {
        type        = "Federated"
        identifiers = [statement.value.arn]
      }

      condition {
        test     = "StringEquals"
        variable = "${statement.value.url}:aud"
        values   = ["sts.amazonaws.com"]
      }

      condition {
        test     = "StringLike"
        variable = "${statement.value.url}:sub"
        values   = ["system:serviceaccount:${statement.value.namespace}:*-${each.key}"]
      }
    }
  }
}

resource "aws_iam_role" "service" {
  for_each           = local.permissions
  name               = "sightline-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.service_trust[each.key].json
}

data "aws_iam_policy_document" "service" {
  for_each = local.permissions

  dynamic "statement" {
    for_each = each.value

    content {
      sid       = replace(title(replace(statement.key, "_", " ")), " ", "")
      actions   = statement.value.actions
      resources = statement.value.resources
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "service" {
  for_each = aws_iam_role.service
  name     = "sightline-${each.key}"
  role     = each.value.id
  policy   = data.aws_iam_policy_document.service[each.key].json
}

data "aws_iam_policy_document" "firehose_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["firehose.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "firehose" {
  name               = "sightline-firehose"
  assume_role_policy = data.aws_iam_policy_document.firehose_trust.json
}

data "aws_iam_policy_document" "firehose" {
  statement {
    sid       = "Bucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [local.buckets_arn.inference]
  }

  statement {
    sid       = "Objects"
    actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"]
    resources = ["${local.buckets_arn.inference}/*"]
  }

  statement {
    sid     = "Columns"
    actions = ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"]
    resources = concat(
      [aws_glue_catalog_database.this.arn, replace(aws_glue_catalog_database.this.arn, "/:database.*/", ":catalog")],
      [for table in aws_glue_catalog_table.rows : table.arn],
    )
  }

  statement {
    sid       = "Log"
    actions   = ["logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.firehose.arn}:log-stream:*"]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      sid       = "Key"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role_policy" "firehose" {
  name   = "sightline-firehose"
  role   = aws_iam_role.firehose.id
  policy = data.aws_iam_policy_document.firehose.json
}
