from pulumi_iotda_ota.__main__ import main

main()
