/* A host for the module that is not Envoy: says whether the module accepts it. How it differs from Envoy 1.40
 * is chosen when it is compiled:
 *
 *   VERSION   the version of the ABI that its built-in module has; without it there is no such module
 *   COMPLETE  it has every callback that the module calls
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define CALLBACK(name) void envoy_dynamic_module_callback_##name(void) {}

#ifdef COMPLETE
CALLBACK(log_v2)
#endif
CALLBACK(is_validation_mode)
CALLBACK(http_filter_config_define_counter)
CALLBACK(http_filter_config_define_gauge)
CALLBACK(http_filter_increment_counter)
CALLBACK(http_filter_set_gauge)
CALLBACK(http_get_header)
CALLBACK(http_get_headers_size)
CALLBACK(http_get_headers)
CALLBACK(http_set_header)
CALLBACK(http_clear_route_cache)
CALLBACK(http_set_dynamic_metadata_string)
CALLBACK(http_set_dynamic_metadata_number)
CALLBACK(http_set_dynamic_metadata_bool)
CALLBACK(http_send_response)
CALLBACK(http_filter_continue_decoding)
CALLBACK(http_filter_scheduler_new)
CALLBACK(http_filter_scheduler_commit)
CALLBACK(http_filter_scheduler_delete)
CALLBACK(get_most_specific_route_config)

#ifdef VERSION
const char *hickory_dns_static_envoy_dynamic_module_on_program_init(void) { return VERSION; }
#endif

int main(int argc, char **argv)
{
    const char *(*init)(void);
    void *module, *symbol;

    if (argc != 2 || !(module = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL))) {
        fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: host MODULE");
        return 2;
    }
    symbol = dlsym(module, "envoy_dynamic_module_on_program_init");
    if (!symbol)
        return 2;
    memcpy(&init, &symbol, sizeof init);
    const char *version = init();
    puts(version ? version : "refused");
    return 0;
}
