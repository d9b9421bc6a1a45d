//go:build !torii_static

package torii_test

const isStatic = false
