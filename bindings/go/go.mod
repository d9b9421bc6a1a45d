module github.com/torii-so/libtorii/bindings/go

go 1.25
