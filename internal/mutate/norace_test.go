//go:build !race

package mutate

const raceDetector = false
