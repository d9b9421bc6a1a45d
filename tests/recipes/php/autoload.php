<?php

// The autoloader for Debian's packages in PHP_PACKAGES, the Torii package of this checkout, and the application's classes.

declare(strict_types=1);

set_include_path(getenv('PHP_PACKAGES') . '/usr/share/php:/usr/share/php');

return static function (string $application): void {
    $folders = ['Torii\\' => __DIR__ . '/../../../bindings/php/src/', 'App\\' => $application];
    spl_autoload_register(static function (string $class) use ($folders): void {
        $file = stream_resolve_include_path(strtr($class, '\\', '/') . '.php');
        foreach ($folders as $prefix => $folder) {
            if (str_starts_with($class, $prefix)) {
                $file = $folder . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            }
        }
        if ($file !== false && is_file($file)) {
            require $file;
        }
    });
};
