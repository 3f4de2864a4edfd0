import * as pulumi from "@pulumi/pulumi";
import * as iotda from "pulumi-iotda-ota";

// With its type, a misspelt property is an error; TypeScript lets it pass in an object without one.
const meter: iotda.OtaPackagePinArgs & iotda.GetOtaPackageOutputArgs = {
    packageType: "firmwarePackage",
    productId: new pulumi.Config().get("product") ?? "smart-meter",
    versionConstraint: "^1.4",
    highestVersion: true,
};

// What fits now, asked again in every run: to look at.
const firmware = iotda.getOtaPackageOutput(meter);
// What was chosen, kept until the selection or the triggers change: to roll out.
const pinned = new iotda.OtaPackagePin("firmware", meter);
const canary = new iotda.UpgradeTask("canary", { packageIds: [pinned.packageId], groupIds: ["canary"] });

export const newest = firmware.version;
export const pinnedVersion = pinned.version;
export const taskId = canary.taskId;
