# capsize nodes as a Nomad job: n1, n2 and n3, one a host, because each keeps its own disk.
#
# 1. On each host, put the program at /usr/local/bin/capsize, make the directory /var/lib/capsize (owner
#    nobody, mode 0700), and name it in the configuration of the Nomad client:
#      client { host_volume "capsize" { path = "/var/lib/capsize" } }
# 2. Make an authority, and one certificate for each node and for whoever attaches:
#      openssl req -x509 -newkey ed25519 -nodes -days 365 -subj "/CN=capsize CA" -keyout ca.key -out ca.crt
#      for n in n1 n2 n3 attach; do
#        openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ed25519 -nodes -days 365 -subj "/CN=$n" \
#          -addext "subjectAltName=DNS:$n.example.com" -addext "basicConstraints=critical,CA:FALSE" \
#          -addext "keyUsage=critical,digitalSignature" -addext "extendedKeyUsage=serverAuth,clientAuth" \
#          -keyout "$n.key" -out "$n.crt"
#      done
#    and give each node its own as a Nomad variable:
#      for n in n1 n2 n3; do nomad var put "nomad/jobs/capsize/$n" "cert=@$n.crt" "key=@$n.key" ca=@ca.crt; done
# 3. Set the hosts below (the address of each, and the name of its Nomad client), then:
#      nomad job run capsize.nomad.hcl
# 4. Open port 7000 between the hosts, and 7001 to whoever attaches:
#      capsize attach n1.example.com:7001 n2.example.com:7001 n3.example.com:7001 \
#        --tls-cert attach.crt --tls-key attach.key --tls-ca ca.crt

variable "hosts" {
  type = map(object({ address = string, client = string }))
  default = {
    n1 = { address = "n1.example.com", client = "host1" }
    n2 = { address = "n2.example.com", client = "host2" }
    n3 = { address = "n3.example.com", client = "host3" }
  }
}

locals {
  peers = join(",", [for name, host in var.hosts : "${name}=${host.address}:7000"])
}

job "capsize" {
  type = "service"

  dynamic "group" {
    for_each = var.hosts
    labels   = [group.key]

    content {
      constraint {
        attribute = "${node.unique.name}"
        value     = group.value.client
      }

      network {
        mode = "host"
        port "raft" { static = 7000 }
        port "control" { static = 7001 }
      }

      volume "data" {
        type   = "host"
        source = "capsize"
      }

      # Always on the same host: the log is there.
      restart {
        attempts = 20
        interval = "1m"
        delay    = "1s"
        mode     = "delay"
      }
      reschedule {
        attempts  = 0
        unlimited = false
      }

      task "node" {
        driver       = "exec"
        kill_timeout = "15s"

        config {
          command = "/usr/local/bin/capsize"
          args = [
            "node", group.key,
            "--data", "/data",
            "--listen", "0.0.0.0:7000",
            "--control", "0.0.0.0:7001",
            "--peers", local.peers,
            "--tls-cert", "${NOMAD_SECRETS_DIR}/cert",
            "--tls-key", "${NOMAD_SECRETS_DIR}/key",
            "--tls-ca", "${NOMAD_SECRETS_DIR}/ca",
          ]
        }

        volume_mount {
          volume      = "data"
          destination = "/data"
        }

        dynamic "template" {
          for_each = ["cert", "key", "ca"]
          content {
            data        = "{{ with nomadVar \"nomad/jobs/capsize/${group.key}\" }}{{ .${template.value} }}{{ end }}"
            destination = "secrets/${template.value}"
          }
        }

        resources {
          cpu    = 500
          memory = 256
        }
      }
    }
  }
}
