from pulumi_iotda_ota.plugin.server import main

main()
