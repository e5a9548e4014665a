//go:build !race

package exact

const underRace = false
