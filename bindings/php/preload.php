<?php

/**
 * For opcache.preload: only preloaded code may use the library where ffi.enable is "preload". What
 * implements the interfaces of others is left out, since those may not be there yet.
 */

declare(strict_types=1);

$files = new RegexIterator(
    new RecursiveIteratorIterator(new RecursiveDirectoryIterator(__DIR__ . '/src', FilesystemIterator::SKIP_DOTS)),
    '/(?<!Middleware)\.php$/',
);
foreach ($files as $file) {
    opcache_compile_file((string) $file);
}
