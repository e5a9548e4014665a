//go:build race

package exact

// underRace reports that the tests run under the race detector. Compiling the module then takes a
// minute, and where only that is tested, nothing is concurrent.
const underRace = true
