//go:build !torii_static

package torii

// #cgo pkg-config: torii
import "C"
