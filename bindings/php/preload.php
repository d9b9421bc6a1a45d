<?php

/**
 * For opcache.preload: only preloaded code may use the library if ffi.enable is "preload". Leaves out the
 * middleware, whose interfaces may not be loaded yet, and the test kit.
 */

declare(strict_types=1);

$files = new RegexIterator(
    new RecursiveIteratorIterator(new RecursiveDirectoryIterator(__DIR__ . '/src', FilesystemIterator::SKIP_DOTS)),
    '~^(?!.*/Testing/).*(?<!Middleware)\.php$~',
);
foreach ($files as $file) {
    opcache_compile_file((string) $file);
}
