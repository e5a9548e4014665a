//go:build release && !canary

package module

import _ "embed"

// embedded is the module that `go generate ./cluster/engine/exact/module` wrote.
//
//go:embed engine.wasm.gz
var embedded []byte
