locals {
  # Key of each table, both parts text. `ttl` names the attribute (seconds) after which DynamoDB may remove an item: within
  # days, so it is there to clear away, and nothing is decided by it. Leases have none.
  tables = {
    events = { name = "sightline-events", hash = "p", range = "s", ttl = "expires_at" }
    fleet  = { name = "sightline-fleet", hash = "p", range = "s", ttl = null }
  }
}

resource "aws_dynamodb_table" "this" {
  for_each                    = local.tables
  name                        = each.value.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash
  range_key                   = each.value.range
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = each.value.hash
    type = "S"
  }

  attribute {
    name = each.value.range
    type = "S"
  }

  dynamic "ttl" {
    for_each = compact([each.value.ttl])

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = var.kms_key_arn != null
    kms_key_arn = var.kms_key_arn
  }
}
