import * as pulumi from "@pulumi/pulumi";
import * as iotda from "pulumi-iotda-ota";

// With this type, a misspelt property is an error. TypeScript accepts it in an object without a type.
const meter: iotda.OtaPackagePinArgs & iotda.GetOtaPackageOutputArgs = {
    packageType: "firmwarePackage",
    productId: new pulumi.Config().get("product") ?? "smart-meter",
    versionConstraint: "^1.4",
    highestVersion: true,
};

// Looked up on every run; for display only.
const firmware = iotda.getOtaPackageOutput(meter);
// Selected once; it changes only if the selection or the triggers change.
const pinned = new iotda.OtaPackagePin("firmware", meter);
const canary = new iotda.UpgradeTask("canary", { packageIds: [pinned.packageId], groupIds: ["canary"] });

export const newest = firmware.version;
export const pinnedVersion = pinned.version;
export const taskId = canary.taskId;
